"""Propensity to redeem a coupon: one row per customer and campaign mailed, as of the campaign's first day.

It is judged among those mailed. Over all customers it would look better than it is, because it learns who gets mailed;
that figure is reported apart, as the slice "targeting included", beside what "was mailed" alone reaches.
"""

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml import propensity
from ml.catalogue import read_catalogue
from ml.evaluation import performance_rows
from ml.frames import (
    as_date,
    as_days,
    content_hash,
    feature_matrix,
    in_key_order,
    model_version,
    require_columns,
    schema_hash,
)
from ml.propensity import Candidate, Floats, HoldOut, PropensityScorer, TrainedModel, blend, boosting, logistic
from ml.score_rows import score_rows
from ml.splits import Fold, check_time_order, cut_label_windows, make_slice
from ml.threads import one_thread

MODEL_NAME = "redemption_propensity"
KEYS = ("customer_id", "campaign_id", "as_of_date")
LABEL_COLUMNS = ("label_ends_on", "first_redeemed_on")
_LEARNED_FROM = read_catalogue().of_model(MODEL_NAME)
KINDS = read_catalogue().kinds_of(MODEL_NAME)
NUMBERS = read_catalogue().numbers_of(MODEL_NAME)
# What an offer holds is known for those mailed only.
OFFER_TABLE = "feat_customer_offer"
CUSTOMER_FEATURES = tuple(
    feature.name for feature in _LEARNED_FROM if feature.is_number and feature.table != OFFER_TABLE
)
_LINE = logistic(0.01)
_STEPS = boosting(rounds=60, learning_rate=0.05, min_leaf=50)
CANDIDATES = (logistic(0.003), _LINE, logistic(0.1), _STEPS, blend(_LINE, _STEPS))
# Campaigns are few and unequal: this many of the newest start dates are each judged by models from before them.
FOLD_COUNT = 4
TEST_SHARE = 0.2
# Ten times the rows of the mailed slice, for a figure that is a warning and not a result.
TARGETING_RESAMPLES = 200


def default_test_from(labels: pd.DataFrame) -> datetime.date:
    """Start of the newest fifth of the campaigns (at least one), where a shop sets no date."""
    require_columns(labels, KEYS, "label_redemption")
    starts = as_days(labels["as_of_date"]).groupby(labels["campaign_id"].to_numpy()).min().sort_values()
    held_out = max(1, int(np.ceil(TEST_SHARE * len(starts))))
    return as_date(starts.iloc[-held_out])


def train(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    test_from: datetime.date,
    everyone: pd.DataFrame | None = None,
    candidates: Sequence[Candidate] = CANDIDATES,
) -> TrainedModel:
    """Choose, fit and calibrate on campaigns that start before `test_from`; judge once on those from then on.

    A campaign still running at `test_from` trains with its label cut short: what was redeemed before that day. The
    same holds at the start of every fold. The model that is returned is the one that was judged.

    Parameters
    ----------
    features : DataFrame with `KEYS`, `NUMBERS` and `KINDS`, one row per customer and campaign mailed
        ``feat_customer_offer`` left-joined to the ``feat_customer_*`` tables on customer_id and as_of_date.
    labels : DataFrame with `KEYS`, label_ends_on, first_redeemed_on (null if not redeemed) and has_redeemed
    test_from : date
        Campaigns that start on it or later are the hold-out.
    everyone : DataFrame with `KEYS`, `CUSTOMER_FEATURES` and `KINDS`, optional
        One row for each campaign and each customer known at its start, mailed or not: for the slice
        "targeting included", a second model that never ships.

    Raises
    ------
    MissingColumnsError
        If a key, a feature or a label column is not there.
    ValueError
        If a key is repeated.
    """
    require_columns(features, [*KEYS, *NUMBERS, *KINDS], "the redemption features")
    require_columns(labels, [*KEYS, *LABEL_COLUMNS, "has_redeemed"], "label_redemption")
    rows = _labelled_rows(features, labels, NUMBERS)
    matrix = feature_matrix(rows, NUMBERS, KINDS, "the redemption features")
    customers = rows["customer_id"]
    learned, learned_labels, tested, trained_through = _split(rows, test_from)
    tested_labels = rows["has_redeemed"].to_numpy(dtype=np.int64)[tested]
    folds, labels_of_fold = _folds(rows, learned, test_from)

    with one_thread():
        choice = propensity.choose(candidates, matrix, labels_of_fold, folds, customers, NUMBERS, KINDS)
        calibration = propensity.fit_calibration(choice.out_of_time, choice.labels)
        identity = _identity(
            MODEL_NAME,
            trained_through,
            [candidate.definition(NUMBERS, KINDS) for candidate in candidates],
            schema_hash(NUMBERS, KINDS),
            content_hash(matrix.iloc[learned].assign(label=learned_labels, customer=customers.iloc[learned])),
        )
        training = matrix.iloc[learned]
        scorer = propensity.fit_scorer(choice.winner, training, learned_labels, calibration, NUMBERS, KINDS, **identity)
        scores = {"model": scorer.probabilities(rows.iloc[tested])}
        scores["base_rate"] = np.full(len(tested), propensity.smoothed_rate(learned_labels))
        baselines: dict[str, tuple[Candidate, Sequence[str], Sequence[str]]] = {
            "logistic_regression_rfm": (logistic(1.0), propensity.RFM_FEATURES, ())
        }
        if choice.winner is not choice.simplest:
            baselines["logistic_regression_same_features"] = (choice.simplest, NUMBERS, KINDS)
        for name, (candidate, numeric, kinds) in baselines.items():
            baseline = propensity.fit_scorer(
                candidate,
                training[[*numeric, *kinds]],
                learned_labels,
                propensity.Calibration(),
                numeric,
                kinds,
                **identity,
            )
            scores[name] = baseline.probabilities(rows.iloc[tested])

    performance = [_slice_rows(rows, tested, tested_labels, scores, scorer, test_from)]
    if everyone is not None:
        performance.append(_targeting_included(everyone, labels, test_from))
    filled = [part for part in performance if len(part)] or performance[:1]
    parameters = propensity.describe_choice(
        choice,
        scorer,
        test_from=test_from.isoformat(),
        fold_starts=[fold.judged.first_as_of.isoformat() for fold in folds if fold.judged.first_as_of],
        training_rows=len(learned),
        training_positives=int(learned_labels.sum()),
        training_campaigns=sorted(set(rows["campaign_id"].iloc[learned])),
        test_campaigns=sorted(set(rows["campaign_id"].iloc[tested])),
        open_windows="cut at the split: what was redeemed before it counts, what came after does not",
    )
    title = f"Coupon redemption among those mailed, campaigns from {test_from:%Y-%m-%d}"
    return TrainedModel(scorer, pd.concat(filled, ignore_index=True), parameters, HoldOut(tested_labels, scores), title)


def _labelled_rows(features: pd.DataFrame, labels: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    wanted = labels.assign(as_of_date=as_days(labels["as_of_date"]))[[*KEYS, *LABEL_COLUMNS, "has_redeemed"]]
    given = features.assign(as_of_date=as_days(features["as_of_date"]))[[*KEYS, *numbers, *KINDS]]
    rows = wanted.merge(given, on=list(KEYS), how="inner")
    return in_key_order(rows, ("as_of_date", "campaign_id", "customer_id"), "the redemption features")


def _split(
    rows: pd.DataFrame, test_from: datetime.date
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.intp], datetime.date]:
    """Positions and labels to learn from, positions to judge on, last day that a training label saw."""
    days = rows["as_of_date"]
    before = (days < pd.Timestamp(test_from)).to_numpy()
    known, last_day = cut_label_windows(rows["first_redeemed_on"], rows["label_ends_on"], test_from)
    train_slice = make_slice("train", before, days, last_day)
    test_slice = make_slice("hold-out", ~before, days, as_days(rows["label_ends_on"]))
    check_time_order([train_slice, test_slice])
    trained_through = train_slice.last_label_day or test_from - datetime.timedelta(days=1)
    return train_slice.rows, known[train_slice.rows], test_slice.rows, trained_through


def _folds(
    rows: pd.DataFrame, learned: npt.NDArray[np.intp], test_from: datetime.date
) -> tuple[list[Fold], list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]]:
    """The newest start dates before `test_from`, each judged up to the next one by what was known at its start."""
    days = rows["as_of_date"]
    starts = sorted(as_date(day) for day in days.iloc[learned].unique())
    judged_labels, judged_last_day = cut_label_windows(rows["first_redeemed_on"], rows["label_ends_on"], test_from)
    folds, labels_of_fold = [], []
    chosen = starts[1:][-FOLD_COUNT:]
    ends = [*chosen[1:], test_from][: len(chosen)]
    for begin, end in zip(chosen, ends, strict=True):
        known, known_last_day = cut_label_windows(rows["first_redeemed_on"], rows["label_ends_on"], begin)
        earlier = (days < pd.Timestamp(begin)).to_numpy()
        inside = ((days >= pd.Timestamp(begin)) & (days < pd.Timestamp(end))).to_numpy()
        fold = Fold(
            make_slice("train", earlier, days, known_last_day),
            make_slice("validation", inside, days, judged_last_day),
        )
        folds.append(fold)
        labels_of_fold.append((known[fold.train.rows], judged_labels[fold.judged.rows]))
    return folds, labels_of_fold


def _identity(name: str, trained_through: datetime.date, *parts: Any) -> dict[str, Any]:
    return {
        "model_name": MODEL_NAME,
        "model_version": model_version(name, trained_through, *parts),
        "trained_through": trained_through,
        # the campaign's own length sets the end of the window
        "horizon_days": None,
    }


def _slice_rows(
    rows: pd.DataFrame,
    tested: npt.NDArray[np.intp],
    labels: npt.NDArray[np.int64],
    scores: dict[str, Floats],
    scorer: PropensityScorer,
    test_from: datetime.date,
) -> pd.DataFrame:
    """Performance among all mailed, and among those mailed each type of campaign."""
    kinds = rows["campaign_type"].iloc[tested].to_numpy()
    slices = {"mailed": np.ones(len(tested), dtype=bool)}
    if len(set(kinds)) > 1:
        slices |= {f"mailed, {kind}": kinds == kind for kind in sorted(set(kinds))}
    parts = [
        performance_rows(
            labels[inside],
            {name: values[inside] for name, values in scores.items()},
            rows["customer_id"].iloc[tested][inside],
            model_name=MODEL_NAME,
            model_version=scorer.model_version,
            as_of_date=test_from,
            slice=name,
            is_champion=True,
        )
        for name, inside in slices.items()
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def _targeting_included(everyone: pd.DataFrame, labels: pd.DataFrame, test_from: datetime.date) -> pd.DataFrame:
    """The same question over all customers, not mailed = not redeemed, beside the single score "was mailed".

    A logistic regression on the customer features: what an offer holds is known for those mailed only.
    """
    require_columns(everyone, [*KEYS, *CUSTOMER_FEATURES, *KINDS], "the features of all customers")
    known = labels.assign(as_of_date=as_days(labels["as_of_date"]), was_mailed=1)
    given = everyone.assign(as_of_date=as_days(everyone["as_of_date"]))[[*KEYS, *CUSTOMER_FEATURES, *KINDS]]
    rows = given.merge(known[[*KEYS, *LABEL_COLUMNS, "has_redeemed", "was_mailed"]], on=list(KEYS), how="left")
    rows = in_key_order(rows, ("as_of_date", "campaign_id", "customer_id"), "the features of all customers")
    rows["label_ends_on"] = as_days(rows["label_ends_on"]).fillna(rows["as_of_date"])
    rows["first_redeemed_on"] = as_days(rows["first_redeemed_on"])
    matrix = feature_matrix(rows, CUSTOMER_FEATURES, KINDS, "the features of all customers")
    learned, learned_labels, tested, trained_through = _split(rows, test_from)
    truth = rows["has_redeemed"].fillna(0).to_numpy(dtype=np.int64)[tested]
    was_mailed = rows["was_mailed"].fillna(0).to_numpy(dtype=np.float64)[tested]
    name = f"{MODEL_NAME}_targeting_included"
    candidate = logistic(0.01)
    identity = _identity(
        name,
        trained_through,
        candidate.definition(CUSTOMER_FEATURES, KINDS),
        schema_hash(CUSTOMER_FEATURES, KINDS),
        content_hash(matrix.iloc[learned].assign(label=learned_labels)),
    )
    with one_thread():
        scorer = propensity.fit_scorer(
            candidate,
            matrix.iloc[learned],
            learned_labels,
            propensity.Calibration(),
            CUSTOMER_FEATURES,
            KINDS,
            **identity,
        )
        judged = pd.DataFrame(
            {
                "customer_id": rows["customer_id"].iloc[tested].to_numpy(),
                "as_of_date": rows["as_of_date"].iloc[tested].to_numpy(),
                "model": scorer.probabilities(rows.iloc[tested]),
                "was_mailed": was_mailed,
                "label": truth,
            }
        )
    # What was known when the first campaign of the hold-out started, against any redemption in the whole of it.
    known_then = judged[judged["as_of_date"] == judged["as_of_date"].min()].groupby("customer_id")["model"].mean()
    any_campaign = judged.groupby("customer_id")[["was_mailed", "label"]].max()
    per_customer = known_then.to_frame().join(any_campaign).reset_index()
    parts = [
        performance_rows(
            part["label"],
            {"model": part["model"], "was_mailed": part["was_mailed"]},
            part["customer_id"],
            ranking_only=("was_mailed",),
            resamples=TARGETING_RESAMPLES,
            model_name=MODEL_NAME,
            model_version=scorer.model_version,
            as_of_date=test_from,
            slice=name,
            is_champion=False,
        )
        for name, part in {
            "targeting included": judged,
            "targeting included, per customer": per_customer,
        }.items()
    ]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def score(scorer: PropensityScorer, features: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``ml.scores`` without run_id, one per row of `features`, in key order.

    Parameters
    ----------
    scorer : PropensityScorer
        ``TrainedModel.scorer``, or one loaded from an artifact.
    features : DataFrame with `KEYS`, `NUMBERS` and `KINDS`, one row per customer and campaign mailed
    """
    require_columns(features, [*KEYS, *scorer.feature_names], "the redemption features")
    given = features.assign(as_of_date=as_days(features["as_of_date"]))
    rows = in_key_order(given, ("as_of_date", "campaign_id", "customer_id"), "the redemption features")
    return score_rows(
        rows[list(KEYS)],
        scorer.probabilities(rows),
        fallback_tier=scorer.fallback_tier,
        score_kind="probability",
        unit="probability of redeeming a coupon of the campaign",
        **scorer.identity,
    )
