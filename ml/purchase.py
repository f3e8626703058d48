"""Propensity to buy in the next days: one row per customer and as-of date."""

import datetime
from collections.abc import Sequence

import numpy as np
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
from ml.propensity import Candidate, HoldOut, PropensityScorer, TrainedModel, blend, boosting, logistic
from ml.score_rows import score_rows
from ml.splits import check_time_order, folds_by_date, make_slice, spaced_dates
from ml.threads import one_thread

MODEL_NAME = "purchase_propensity"
KEYS = ("customer_id", "as_of_date")
FEATURES = read_catalogue().numbers_of(MODEL_NAME)
_LINE = logistic(0.01)
_STEPS = boosting(rounds=200, learning_rate=0.03, min_leaf=100)
CANDIDATES = (_LINE, logistic(0.1), _STEPS, blend(_LINE, _STEPS))
# Half a year of dates that do not overlap: older ones cost time and gained nothing.
MAX_TRAINING_DATES = 12
# The newest training dates, each in turn judged by models that learned from earlier ones only.
FOLD_COUNT = 3


def default_test_as_of(labels: pd.DataFrame) -> datetime.date:
    """The newest as-of date in `labels`: its whole window was observed, or the label would not be there."""
    require_columns(labels, KEYS, "label_purchase")
    return as_date(labels["as_of_date"].max())


def train(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    test_as_of: datetime.date,
    horizon_days: int = 14,
    candidates: Sequence[Candidate] = CANDIDATES,
) -> TrainedModel:
    """Choose, fit and calibrate on dates whose labels end before `test_as_of`; judge once at `test_as_of`.

    The model that is returned is the one that was judged: it is not refitted on later rows.

    Parameters
    ----------
    features : DataFrame with `KEYS` and `FEATURES`, one row per customer and as-of date
        Rows without a label, and of dates after `test_as_of`, are ignored.
    labels : DataFrame with `KEYS` and has_purchased (0 or 1)
        The window of a row is ``[as_of_date, as_of_date + horizon_days)``.
    test_as_of : date
        The hold-out.

    Raises
    ------
    MissingColumnsError
        If a key, a feature or the label is not there.
    ValueError
        If a key is repeated.

    Examples
    --------
    >>> model = train(features, labels, test_as_of=datetime.date(2017, 10, 16))  # doctest: +SKIP
    >>> model.metrics()["all/roc_auc"]  # doctest: +SKIP
    0.85
    """
    require_columns(features, [*KEYS, *FEATURES], "the purchase features")
    require_columns(labels, [*KEYS, "has_purchased"], "label_purchase")
    rows = _labelled_rows(features, labels, test_as_of)
    days = rows["as_of_date"]
    training_dates = spaced_dates(days.unique(), test_as_of, horizon_days, MAX_TRAINING_DATES)
    used = days.isin([pd.Timestamp(day) for day in [*training_dates, test_as_of]])
    rows = rows[used].reset_index(drop=True)
    days = rows["as_of_date"]
    last_label_day = days + pd.Timedelta(days=horizon_days - 1)
    before_test = (days < pd.Timestamp(test_as_of)).to_numpy()
    train_slice = make_slice("train", before_test, days, last_label_day)
    test_slice = make_slice("hold-out", ~before_test, days, last_label_day)
    check_time_order([train_slice, test_slice])

    matrix = feature_matrix(rows, FEATURES, (), "the purchase features")
    truth = rows["has_purchased"].to_numpy(dtype=np.int64)
    customers = rows["customer_id"]
    learned, tested = train_slice.rows, test_slice.rows
    # the hold-out sorts last, so positions among the training rows are positions among all rows
    folds = folds_by_date(days.iloc[learned], horizon_days, training_dates[1:][-FOLD_COUNT:])
    trained_through = train_slice.last_label_day or test_as_of - datetime.timedelta(days=1)

    with one_thread():
        choice = propensity.choose(
            candidates,
            matrix,
            [(truth[fold.train.rows], truth[fold.judged.rows]) for fold in folds],
            folds,
            customers,
            FEATURES,
            (),
        )
        calibration = propensity.fit_calibration(choice.out_of_time, choice.labels)
        identity = {
            "model_name": MODEL_NAME,
            "trained_through": trained_through,
            "horizon_days": horizon_days,
            "model_version": model_version(
                MODEL_NAME,
                trained_through,
                [candidate.definition(FEATURES, ()) for candidate in candidates],
                horizon_days,
                schema_hash(FEATURES, ()),
                content_hash(matrix.iloc[learned].assign(label=truth[learned], customer=customers.iloc[learned])),
            ),
        }
        training = matrix.iloc[learned]
        scorer = propensity.fit_scorer(choice.winner, training, truth[learned], calibration, FEATURES, (), **identity)
        baselines: dict[str, tuple[Candidate, Sequence[str]]] = {
            "logistic_regression_rfm": (logistic(1.0), propensity.RFM_FEATURES)
        }
        if choice.winner is not choice.simplest:
            baselines["logistic_regression_same_features"] = (choice.simplest, FEATURES)
        scores = {"model": scorer.probabilities(rows.iloc[tested])}
        scores["base_rate"] = np.full(len(tested), propensity.smoothed_rate(truth[learned]))
        for name, (candidate, names) in baselines.items():
            baseline = propensity.fit_scorer(
                candidate, training[list(names)], truth[learned], propensity.Calibration(), names, (), **identity
            )
            scores[name] = baseline.probabilities(rows.iloc[tested])
        scores["days_since_last_order"] = -matrix["days_since_last_order"].to_numpy()[tested]

    performance = performance_rows(
        truth[tested],
        scores,
        customers.iloc[tested],
        ranking_only=("days_since_last_order",),
        model_name=MODEL_NAME,
        model_version=scorer.model_version,
        as_of_date=test_as_of,
        slice="all",
        is_champion=True,
    )
    parameters = propensity.describe_choice(
        choice,
        scorer,
        horizon_days=horizon_days,
        training_dates=[day.isoformat() for day in training_dates],
        fold_dates=[day.isoformat() for day in training_dates[1:][-FOLD_COUNT:]],
        test_as_of=test_as_of.isoformat(),
        training_rows=len(learned),
        training_positives=int(truth[learned].sum()),
    )
    scores.pop("days_since_last_order")
    title = f"Purchase in {horizon_days} days, hold-out {test_as_of:%Y-%m-%d}"
    return TrainedModel(scorer, performance, parameters, HoldOut(truth[tested], scores), title)


def _labelled_rows(features: pd.DataFrame, labels: pd.DataFrame, test_as_of: datetime.date) -> pd.DataFrame:
    """Features and label of every row up to the hold-out, in key order; later labels are not even joined."""
    wanted = labels.assign(as_of_date=as_days(labels["as_of_date"]))[[*KEYS, "has_purchased"]]
    wanted = wanted[wanted["as_of_date"] <= pd.Timestamp(test_as_of)]
    given = features.assign(as_of_date=as_days(features["as_of_date"]))[[*KEYS, *FEATURES]]
    rows = wanted.merge(given, on=list(KEYS), how="inner")
    return in_key_order(rows, ("as_of_date", "customer_id"), "the purchase features")


def score(scorer: PropensityScorer, features: pd.DataFrame) -> pd.DataFrame:
    """Rows of ``ml.scores`` without run_id, one per row of `features`, in key order.

    Parameters
    ----------
    scorer : PropensityScorer
        ``TrainedModel.scorer``, or one loaded from an artifact.
    features : DataFrame with `KEYS` and `FEATURES`
    """
    require_columns(features, [*KEYS, *scorer.feature_names], "the purchase features")
    given = features.assign(as_of_date=as_days(features["as_of_date"]))
    rows = in_key_order(given, ("as_of_date", "customer_id"), "the purchase features")
    return score_rows(
        rows[list(KEYS)],
        scorer.probabilities(rows),
        fallback_tier=scorer.fallback_tier,
        score_kind="probability",
        unit=f"probability of an order within {scorer.horizon_days} days",
        **scorer.identity,
    )
