"""Buy readiness: 0 to 100 for each customer and as-of date, from a scorecard; at 80, 80 in 100 such customers buy.

The formula that scores a date was fitted on dates whose label windows had ended by then. It is made anew at every 28th
day of the calendar and not with each run, so that the same date always gets the same formula, whichever run scores it.
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml import scorecard
from ml.frames import as_date, as_days, in_key_order, model_version, require_columns, schema_hash
from ml.score_rows import SCORE_COLUMNS, score_rows
from ml.scorecard import Input, Scorecard
from ml.splits import spaced_dates
from ml.threads import one_thread

MODEL_NAME = "buy_readiness"
KEYS = ("customer_id", "as_of_date")
HIGH_INTENT = 80.0
REFIT_DAYS = 28
# A quarter of weekly dates: old enough to be many, young enough to be like now.
MAX_TRAINING_DATES = 12
MIN_TRAINING_DATES = 4
# With fewer rows of either class the points of some bin would rest on a handful of people.
MIN_ROWS_PER_CLASS = 200
MAX_TRAINING_ROWS = 200_000
SCORE_DIGITS = 1
WHY_NONE = (
    f"buy readiness needs {MIN_TRAINING_DATES} earlier dates whose windows have ended, with {MIN_ROWS_PER_CLASS} rows "
    f"that bought and {MIN_ROWS_PER_CLASS} that did not"
)

INPUTS = (
    Input("purchase_day_count_28d", (1, 2, 3, 4, 6, 8, 12), "rising", "Purchase days, last 28 days"),
    Input("purchase_day_count_90d", (1, 3, 6, 10, 15, 20, 30), "rising", "Purchase days, last 90 days"),
    Input("days_since_last_order", (2, 4, 8, 15, 29, 57), "falling", "Days since the last order"),
    # Just bought: not yet again. Long beyond the usual pause: perhaps never again. So it may go up and down.
    Input("order_gap_ratio", (0.25, 0.5, 1, 2, 4), "free", "Days since the last order, in usual pauses"),
    Input("session_count_7d", (1, 2), "rising", "Visits to the web shop, last 7 days"),
    Input("product_view_count_7d", (1, 3, 8), "rising", "Products viewed, last 7 days"),
    Input("add_count_7d", (1, 3), "rising", "Products put into the cart, last 7 days"),
    Input("days_since_last_search", (8, 29), "falling", "Days since the last search"),
    Input("days_since_last_mail_opened", (8, 29), "falling", "Days since an e-mail was opened"),
    Input("mail_clicked_count_90d", (1,), "rising", "E-mails clicked, last 90 days"),
)
FEATURES = tuple(item.feature for item in INPUTS)


@dataclass(frozen=True)
class Plan:
    """Which dates are scored, and from which dates the formula of each is learned.

    Attributes
    ----------
    to_score : tuple of date
    learned_from : mapping of a date on which a formula is made -> the dates that it learns from
    """

    to_score: tuple[datetime.date, ...]
    learned_from: Mapping[datetime.date, tuple[datetime.date, ...]]

    @property
    def training_dates(self) -> list[datetime.date]:
        """All dates whose features and labels are needed to learn."""
        return sorted({day for days in self.learned_from.values() for day in days})


@dataclass(frozen=True)
class Formula:
    """A fitted scorecard and where it comes from.

    Attributes
    ----------
    made_on : date
        Nothing of this date or later went into it.
    """

    card: Scorecard
    made_on: datetime.date
    trained_through: datetime.date
    horizon_days: int
    training_dates: tuple[datetime.date, ...]
    training_rows: int
    training_positives: int

    @property
    def model_version(self) -> str:
        """Name, last training day and digits that change with the points."""
        return model_version(MODEL_NAME, self.trained_through, self.horizon_days, self.card.facts())

    def version_row(self, artifact_sha256: str) -> pd.DataFrame:
        """The row of ``ml.model_versions`` without run_id."""
        names = list(self.card.points)
        row = {
            "model_name": MODEL_NAME,
            "model_version": self.model_version,
            "algorithm": "scorecard (monotone logistic regression on bins)",
            "trained_through": self.trained_through,
            "feature_names": json.dumps(names),
            "feature_schema_hash": schema_hash(names, ()),
            "parameters": json.dumps(self.facts(), sort_keys=True),
            "artifact_sha256": artifact_sha256,
        }
        return pd.DataFrame([row])

    def facts(self) -> dict[str, object]:
        """All that the formula is, as values that JSON can hold."""
        return {
            **self.card.facts(),
            "made_on": self.made_on.isoformat(),
            "horizon_days": self.horizon_days,
            "training_dates": [day.isoformat() for day in self.training_dates],
            "training_rows": self.training_rows,
            "training_positives": self.training_positives,
        }


def made_on(as_of_date: datetime.date) -> datetime.date:
    """The day on which the formula for `as_of_date` is made: the newest 28th day of the calendar, or the day itself.

    The days are counted from Monday, 1900-01-01, as those of the schedule are.
    """
    days = (as_of_date - datetime.date(1900, 1, 1)).days
    return as_of_date - datetime.timedelta(days=days % REFIT_DAYS)


def plan(
    scheduled: Iterable[object],
    current: datetime.date,
    labels: pd.DataFrame,
    written: Iterable[object],
    horizon_days: int,
) -> Plan:
    """What is to be done for every scheduled date, and the current one, to have a score.

    Parameters
    ----------
    scheduled : as-of dates that a score is wanted for; such as lie after `current` are passed over
    labels : DataFrame with `KEYS` and has_purchased; only scheduled dates are learned from
    written : dates that have scores; they stay as they are, except the current date, whose day may not be over
    """
    require_columns(labels, [*KEYS, "has_purchased"], "label_readiness")
    wanted = {as_date(day) for day in scheduled} | {current}
    kept = {as_date(day) for day in written} - {current}
    by_date = labels.groupby(as_days(labels["as_of_date"]))["has_purchased"].agg(["size", "sum"])
    counts = {as_date(day): (int(rows), int(hits)) for day, rows, hits in by_date.itertuples()}
    teaching = sorted(set(counts) & wanted)
    learned_from = {}
    for made in sorted({made_on(day) for day in wanted if day <= current}):
        days = spaced_dates(teaching, made, horizon_days, MAX_TRAINING_DATES)
        rows, hits = (sum(counts[day][place] for day in days) for place in (0, 1))
        if len(days) >= MIN_TRAINING_DATES and min(hits, rows - hits) >= MIN_ROWS_PER_CLASS:
            learned_from[made] = tuple(days)
    first = min(learned_from, default=None)
    to_score = sorted(day for day in wanted - kept if day <= current and first is not None and day >= first)
    needed = {_formula_of(day, learned_from) for day in to_score}
    return Plan(tuple(to_score), {made: days for made, days in learned_from.items() if made in needed})


def _formula_of(day: datetime.date, made: Iterable[datetime.date]) -> datetime.date:
    """The newest of the days `made` that is not after `day`."""
    return max(one for one in made if one <= day)


def fit(todo: Plan, features: pd.DataFrame, labels: pd.DataFrame, horizon_days: int) -> dict[datetime.date, Formula]:
    """The formulas that the plan needs, by the day they are made on.

    Parameters
    ----------
    features : DataFrame with `KEYS` and `FEATURES`; other dates than those of the plan are ignored
    labels : DataFrame with `KEYS` and has_purchased (0 or 1) in ``[as_of_date, as_of_date + horizon_days)``

    Raises
    ------
    MissingColumnsError
        If a key, an input or the label is not there.
    ValueError
        If a key is repeated.
    """
    require_columns(features, [*KEYS, *FEATURES], "the features of buy readiness")
    require_columns(labels, [*KEYS, "has_purchased"], "label_readiness")
    given = features.assign(as_of_date=as_days(features["as_of_date"]))[[*KEYS, *FEATURES]]
    wanted = labels.assign(as_of_date=as_days(labels["as_of_date"]))[[*KEYS, "has_purchased"]]
    teaching = wanted["as_of_date"].isin([pd.Timestamp(day) for day in todo.training_dates])
    rows = in_key_order(
        wanted[teaching].merge(given, on=list(KEYS)), ("as_of_date", "customer_id"), "the features of buy readiness"
    )
    with one_thread():
        return {made: _fit_one(made, days, rows, horizon_days) for made, days in todo.learned_from.items()}


def _fit_one(made: datetime.date, days: Sequence[datetime.date], rows: pd.DataFrame, horizon_days: int) -> Formula:
    learned = _sampled(rows[rows["as_of_date"].isin([pd.Timestamp(day) for day in days])])
    truth = learned["has_purchased"].to_numpy(dtype=np.float64)
    positives = int(truth.sum())
    return Formula(
        card=scorecard.fit(INPUTS, learned, truth),
        made_on=made,
        trained_through=days[-1] + datetime.timedelta(days=horizon_days - 1),
        horizon_days=horizon_days,
        training_dates=tuple(days),
        training_rows=len(truth),
        training_positives=positives,
    )


def _sampled(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of some of the customers, chosen by a hash of their key, where all would be too many."""
    if len(rows) <= MAX_TRAINING_ROWS:
        return rows
    hashed = pd.util.hash_array(rows["customer_id"].to_numpy(dtype=object)) / 2.0**64
    return rows[hashed < MAX_TRAINING_ROWS / len(rows)]


def score(
    days: Iterable[datetime.date], formulas: Mapping[datetime.date, Formula], features: pd.DataFrame
) -> pd.DataFrame:
    """Rows of ``ml.scores`` without run_id for the dates `days`, in order of date and customer.

    Each date takes the newest formula that was made no later; where the rows of a month were too few for one, that is
    one of a month before.

    Parameters
    ----------
    features : DataFrame with `KEYS` and `FEATURES`
    """
    require_columns(features, [*KEYS, *FEATURES], "the features of buy readiness")
    given = features.assign(as_of_date=as_days(features["as_of_date"]))
    found = [
        _scored(
            formulas[_formula_of(day, formulas)],
            in_key_order(
                given[given["as_of_date"] == pd.Timestamp(day)], ("as_of_date", "customer_id"), "the features to score"
            ),
        )
        for day in sorted(days)
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=list(SCORE_COLUMNS))


def _scored(formula: Formula, rows: pd.DataFrame) -> pd.DataFrame:
    return score_rows(
        rows[["customer_id", "as_of_date"]],
        np.round(100 * formula.card.rates(rows), SCORE_DIGITS),
        model_name=MODEL_NAME,
        model_version=formula.model_version,
        feature_schema_hash=schema_hash(list(formula.card.points), ()),
        score_kind="index",
        unit=f"of 100 such customers order within {formula.horizon_days} days",
        horizon_days=formula.horizon_days,
    )
