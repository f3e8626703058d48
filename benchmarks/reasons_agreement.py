"""Which way to give reasons: do they name what matters, does the model bear them out, what do they cost; demo shop.

Each way gives every theme of features a number for each row. They are held against the exact Shapley values of the
game whose players are the themes: every one of the 2 ** themes mixtures of the row and the typical customer is scored.
Beside them: how often, with the three largest themes of a row, the score moves as they say when the theme alone is put
at the values of the typical customer; and how far the numbers are from adding up to the difference of the log-odds.

Only development dates are read: nothing whose label reaches beyond 2017-10-29.
"""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable
from math import factorial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

from benchmarks.measuring import RESULTS
from ml.catalogue import read_catalogue
from ml.frames import feature_matrix
from ml.propensity.candidates import boosting_pipeline, logistic_pipeline
from ml.reasons.choosing import choose_reasons
from ml.reasons.contributions import Explainer
from ml.reasons.reference import typical
from ml.reasons.sampling import sampled_contributions
from ml.reasons.words import Teller, shipped_words
from ml.threads import one_thread
from orchestration.model_inputs import customer_features
from orchestration.warehouse import reading
from shops import ShopFolders

Floats = npt.NDArray[np.float64]

MODEL = "purchase_propensity"
HORIZON = 14
JUDGED_ON = datetime.date(2017, 10, 16)
TRAINED_BEFORE = datetime.date(2017, 10, 2)
EXACT_ROWS = 100
MIXTURES_AT_ONCE = 2_048
TOP = 3


def main() -> None:
    """Fit, explain in each way, compare, print, rewrite the results."""
    learned, labels, judged, themes = _rows()
    results = []
    with one_thread():
        for name, pipeline in _models(learned, labels).items():
            explainer = Explainer(pipeline, typical(judged, list(judged.columns), ()))
            exact = _exact(explainer, judged.iloc[:EXACT_ROWS], themes)
            for way, give in _ways(themes).items():
                row = {"model": name, "way": way, **_compared(explainer, judged, give, exact, themes)}
                results.append(row)
                print(", ".join(f"{key} {value}" for key, value in row.items()), flush=True)
            chosen = choose_reasons(explainer, judged, themes)
            row = {
                "model": name,
                "way": "Shapley values, borne out (what ships)",
                "reasons": int((chosen.theme >= 0).sum()),
                "left_out": round(chosen.left_out / chosen.tried, 5),
            }
            results.append(row)
            print(row, flush=True)
    file = RESULTS / "reasons_agreement.json"
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"written to {file}")


def _rows() -> tuple[pd.DataFrame, npt.NDArray[np.int64], pd.DataFrame, tuple[str, ...]]:
    """Features and labels to learn from, features to explain, and the theme of each feature."""
    features = read_catalogue().of_model(MODEL)
    with reading(ShopFolders.of("demo").warehouse) as connection:
        rows = customer_features(connection, features, "is_scheduled and as_of_date <= ?", JUDGED_ON)
        labels = connection.execute(
            "select customer_id, as_of_date, has_purchased from features.label_purchase "
            "where horizon_days = ? and as_of_date <= ?",
            [HORIZON, JUDGED_ON],
        ).df()
    both = rows.merge(labels, on=["customer_id", "as_of_date"]).sort_values(["as_of_date", "customer_id"])
    days = pd.to_datetime(both["as_of_date"])
    names = [feature.name for feature in features]
    before = both[days < pd.Timestamp(TRAINED_BEFORE)].iloc[::3]
    now = both[days == pd.Timestamp(JUDGED_ON)]
    return (
        feature_matrix(before, names, (), "the rows to learn from"),
        before["has_purchased"].to_numpy(dtype=np.int64),
        feature_matrix(now.sample(frac=1, random_state=0), names, (), "the rows to explain"),
        Teller(features, shipped_words(), "USD").themes,
    )


def _models(learned: pd.DataFrame, labels: npt.NDArray[np.int64]) -> dict[str, Pipeline]:
    from sklearn.ensemble import VotingClassifier

    names = list(learned.columns)
    line = logistic_pipeline(names, (), 0.01)
    trees = boosting_pipeline(names, (), 200, 0.03, 100)
    mean = Pipeline([("model", VotingClassifier([("line", line), ("trees", trees)], voting="soft"))])
    forest = RandomForestClassifier(60, min_samples_leaf=40, max_features="sqrt", max_samples=1 / 3, random_state=0)
    wooded = Pipeline([("prepare", boosting_pipeline(names, (), 1, 0.1, 1)[0]), ("model", forest)])
    made = {"logistic regression": line, "200 boosted trees": trees, "mean of both": mean, "forest of 60": wooded}
    return {name: pipeline.fit(learned, labels) for name, pipeline in made.items()}


def _members(themes: tuple[str, ...]) -> Floats:
    names = tuple(dict.fromkeys(themes))
    return np.array([[one == theme for theme in names] for one in themes], dtype=np.float64)


def _ways(themes: tuple[str, ...]) -> dict[str, Callable[[Explainer, pd.DataFrame], Floats]]:
    member = _members(themes)

    def replaced(explainer: Explainer, rows: pd.DataFrame) -> Floats:
        now = explainer.margin(rows)
        return np.column_stack(
            [now - explainer.margin(_mixed(explainer, rows, member[:, t] == 0)) for t in range(member.shape[1])]
        )

    def inserted(explainer: Explainer, rows: pd.DataFrame) -> Floats:
        start = explainer.margin(explainer.reference)[0]
        return np.column_stack(
            [explainer.margin(_mixed(explainer, rows, member[:, t] > 0)) - start for t in range(member.shape[1])]
        )

    return {
        "Shapley values, worked out": lambda explainer, rows: explainer.contributions(rows) @ member,
        "Shapley values, one walk and its reverse": lambda explainer, rows: (
            sampled_contributions(explainer.margin, rows, explainer.reference) @ member
        ),
        "each theme put at the typical value": replaced,
        "each theme put into the typical customer": inserted,
    }


def _mixed(explainer: Explainer, rows: pd.DataFrame, from_row: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The rows, with the features that are not `from_row` at the values of the reference."""
    return pd.DataFrame(
        {
            name: rows[name].to_numpy() if own else np.full(len(rows), explainer.reference[name].iloc[0])
            for name, own in zip(rows.columns, from_row, strict=True)
        }
    )


def _exact(explainer: Explainer, rows: pd.DataFrame, themes: tuple[str, ...]) -> Floats:
    """Shapley values of the themes from all mixtures, shape (n_rows, n_themes) (Shapley 1953)."""
    member = _members(themes)
    count = member.shape[1]
    masks = np.arange(2**count)
    inside = ((masks[:, None] >> np.arange(count)) & 1).astype(bool)
    by_feature = inside @ member.T > 0
    sizes = inside.sum(axis=1)
    weights = np.array([factorial(s) * factorial(count - s - 1) / factorial(count) for s in range(count)])
    reference = explainer.reference.to_numpy(dtype=np.float64)[0]
    found = np.zeros((len(rows), count))
    for place, values in enumerate(rows.to_numpy(dtype=np.float64)):
        worth = np.concatenate(
            [
                explainer.margin(
                    pd.DataFrame(
                        np.where(by_feature[start : start + MIXTURES_AT_ONCE], values, reference), columns=rows.columns
                    )
                )
                for start in range(0, len(masks), MIXTURES_AT_ONCE)
            ]
        )
        for theme in range(count):
            without = ~inside[:, theme]
            gain = worth[masks[without] | (1 << theme)] - worth[without]
            found[place, theme] = (weights[sizes[without]] * gain).sum()
    return found


def _compared(
    explainer: Explainer,
    judged: pd.DataFrame,
    give: Callable[[Explainer, pd.DataFrame], Floats],
    exact: Floats,
    themes: tuple[str, ...],
) -> dict[str, Any]:
    started = time.process_time()
    given = give(explainer, judged)
    seconds = time.process_time() - started
    few = given[: len(exact)]
    first, wanted = np.abs(few).argmax(axis=1), np.abs(exact).argmax(axis=1)
    largest = np.argsort(-np.abs(few), axis=1)[:, :TOP]
    truly = np.argsort(-np.abs(exact), axis=1)[:, :TOP]
    shared = [len(set(own) & set(true)) / TOP for own, true in zip(largest, truly, strict=True)]
    member = _members(themes)
    now = explainer.margin(judged)
    borne_out = []
    ranked = np.argsort(-np.abs(given), axis=1)
    for rank in range(TOP):
        theme = ranked[:, rank]
        moved = np.zeros(len(judged))
        for number in range(member.shape[1]):
            rows = np.flatnonzero(theme == number)
            if len(rows):
                mixed = _mixed(explainer, judged.iloc[rows], member[:, number] == 0)
                moved[rows] = now[rows] - explainer.margin(mixed)
        amount = given[np.arange(len(judged)), theme]
        borne_out.append(float((np.sign(moved) == np.sign(amount)).mean()))
    gap = np.abs(given.sum(axis=1) - (now - explainer.margin(explainer.reference)[0]))
    return {
        "same_largest_theme": round(float((first == wanted).mean()), 3),
        "shared_of_three": round(float(np.mean(shared)), 3),
        "mean_error": round(float(np.abs(few - exact).mean()), 5),
        "borne_out_1": round(borne_out[0], 4),
        "borne_out_2": round(borne_out[1], 4),
        "borne_out_3": round(borne_out[2], 4),
        "mean_gap_of_sum": round(float(gap.mean()), 5),
        "cpu_ms_per_1000_rows": round(1e6 * seconds / len(judged), 1),
    }


if __name__ == "__main__":
    main()
