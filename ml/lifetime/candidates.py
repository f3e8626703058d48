"""What may become lifetime value, from the simplest on, and what customers get for whom none of it says anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ml.frames import feature_matrix, require_columns
from ml.lifetime.boosted_value import FEATURES as BOOSTED_FEATURES
from ml.lifetime.boosted_value import MIN_ROWS, BoostedValue
from ml.lifetime.histories import AGE, REPEATS, HistoryError, TooLittleError, histories_of
from ml.lifetime.purchase_value import FEATURES as HISTORY_FEATURES
from ml.lifetime.purchase_value import TOTAL, PurchaseValue, histories

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

COVERAGE = 0.95
PAST = "spend_90d"
PAST_DAYS = 90
FEATURES = tuple(dict.fromkeys((*HISTORY_FEATURES, *BOOSTED_FEATURES, PAST)))
# Somebody who bought on one day, less than a usual pause ago, has shown no rhythm yet.
NEW_DAYS = 28
# The mean of fewer is that of a few people.
MIN_COHORT_ROWS = 50
EVERYBODY = "everybody"


class MeanSpend(BaseEstimator):  # type: ignore[misc]
    """Everybody gets what customers spent on average."""

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Take the mean of the spend in windows that have ended."""
        self.mean_ = float(np.mean(np.asarray(y, dtype=np.float64)))
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """The mean, shape (n_rows,)."""
        check_is_fitted(self, "mean_")
        return np.full(len(X), self.mean_)


class PastSpend(BaseEstimator):  # type: ignore[misc]
    """Everybody goes on to spend what they spent in the last 90 days, in proportion to the horizon.

    Parameters
    ----------
    horizon_days : int
    """

    def __init__(self, horizon_days: int = 90) -> None:
        self.horizon_days = horizon_days

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Nothing is learned."""
        self.factor_ = self.horizon_days / PAST_DAYS
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """The spend so far, shape (n_rows,); TooLittleError where the shop was not observed for 90 days."""
        check_is_fitted(self, "factor_")
        spend = feature_matrix(X, (PAST,), (), "the features of lifetime value")[PAST].to_numpy()
        if np.isnan(spend).any():
            raise TooLittleError(
                f"{PAST} is null in {int(np.isnan(spend).sum())} row(s): the shop was not observed so long"
            )
        expected: Floats = np.maximum(spend, 0.0) * self.factor_
        return expected


# From the simplest on: a later one has to be better by more than noise.
CANDIDATES = ("mean_spend", "spend_of_the_last_90_days", "purchase_value", "boosted_value")
# The features on which what each says depends.
USED_BY: Mapping[str, tuple[str, ...]] = {
    "mean_spend": (),
    "spend_of_the_last_90_days": (PAST,),
    "purchase_value": HISTORY_FEATURES,
    "boosted_value": BOOSTED_FEATURES,
}


def fit_candidate(
    name: str, now: pd.DataFrame, learned: pd.DataFrame, spend: Floats, horizon_days: int, yearly_discount: float
) -> Any:
    """A fitted candidate.

    Parameters
    ----------
    now : DataFrame with `FEATURES`, all customers at the date that is to be predicted
    learned : DataFrame with `FEATURES`, rows of earlier dates whose windows had ended by then
    spend : array of shape (n_learned,), what those spent

    Raises
    ------
    TooLittleError
        If there is too little to learn from.
    """
    if name == "purchase_value":
        return PurchaseValue(horizon_days, yearly_discount, COVERAGE).fit(now)
    if name == "spend_of_the_last_90_days":
        return PastSpend(horizon_days).fit(now)
    if name == "mean_spend":
        return MeanSpend().fit(learned, spend)
    if len(learned) < MIN_ROWS or not spend.any():
        raise TooLittleError(f"{len(learned)} rows to learn from, {int((spend > 0).sum())} of which bought")
    return BoostedValue(horizon_days, COVERAGE).fit(learned, spend)


@dataclass(frozen=True)
class Cohort:
    """What a group of customers spent: rows, mean, and the middle 95%."""

    rows: int
    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, spend: Floats) -> "Cohort":
        """The cohort of these amounts, at least one, rounded to cents."""
        low, high = np.quantile(spend, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
        return cls(len(spend), *(round(float(value), 2) for value in (spend.mean(), low, high)))


def lacking(features: pd.DataFrame) -> Texts:
    """Of each row the cohort of who has too little of their own, or None; shape (n_rows,).

    ``new`` bought on one day only, less than 28 days ago; ``nothing_paid`` gave back all that they bought.
    """
    given = feature_matrix(features, HISTORY_FEATURES, (), "the features of lifetime value")
    found = np.full(len(given), None, dtype=object)
    found[((given[REPEATS] == 0) & (given[AGE] < NEW_DAYS)).to_numpy()] = "new"
    found[(given[TOTAL] <= 0).to_numpy()] = "nothing_paid"
    return found


def cohorts_of(learned: pd.DataFrame, spend: Floats) -> dict[str, Cohort]:
    """What each cohort with enough rows spent, and everybody."""
    kinds = lacking(learned)
    found = {EVERYBODY: Cohort.of(spend)}
    for kind in sorted({kind for kind in kinds if kind is not None}):
        own = spend[kinds == kind]
        if len(own) >= MIN_COHORT_ROWS:
            found[kind] = Cohort.of(own)
    return found


def predicted(estimator: Any, features: pd.DataFrame, cohorts: Mapping[str, Cohort]) -> pd.DataFrame:
    """What a candidate says of each row, or its cohort's or the base value where the row lacks what it takes.

    Returns
    -------
    DataFrame with expected, low, high (money) and tier (``model``, ``cohort``, ``base_rate``), index 0..n-1. The range
    is the candidate's own, not held against anything yet; `width` is the unit in which it is widened.
    """
    check_features(features)
    everybody = cohorts[EVERYBODY]
    expected = np.asarray(estimator.predict(features), dtype=np.float64)
    if hasattr(estimator, "predict_range"):
        low, high = estimator.predict_range(features)
        width = high - low + 0.01 * everybody.mean
    else:
        low, high, width = expected, expected, expected + everybody.mean
    tier = np.full(len(expected), "base_rate" if isinstance(estimator, MeanSpend) else "model", dtype=object)
    found = pd.DataFrame({"expected": expected, "low": low, "high": high, "width": width, "tier": tier})
    for kind in ("new", "nothing_paid"):
        rows = lacking(features) == kind
        cohort = cohorts.get(kind, everybody)
        found.loc[rows, ["expected", "low", "high", "width"]] = [cohort.mean, cohort.low, cohort.high, 0.0]
        found.loc[rows, "tier"] = "cohort" if kind in cohorts else "base_rate"
    return found


def check_features(features: pd.DataFrame) -> None:
    """Raise MissingColumnsError or HistoryError unless the histories can be; see `histories_of`."""
    require_columns(features, FEATURES, "the features of lifetime value")
    given = feature_matrix(features, (TOTAL,), (), "the features of lifetime value")[TOTAL].to_numpy()
    if not np.isfinite(given).all():
        row = int(np.argmax(~np.isfinite(given)))
        raise HistoryError(
            f"the features of lifetime value: {TOTAL} is null or infinite in row {row}. "
            "Next: compare the query with the contract of feat_customer_rfm."
        )
    histories_of(histories(features), "the features of lifetime value")


@dataclass(frozen=True)
class Widening:
    """By how many widths the range is widened below and above, so that it holds what it should; negative: narrowed."""

    low: float = 0.0
    high: float = 0.0

    @classmethod
    def of(cls, spend: Floats, said: pd.DataFrame) -> "Widening":
        """From what was said of rows and what they then spent: conformalized quantiles.

        Romano, Patterson and Candès, "Conformalized Quantile Regression" (2019), theorem 2 (each end by itself), in
        units of the width (Sesia and Candès 2020).
        """
        own = (said["tier"] != "cohort").to_numpy() & (said["width"] > 0).to_numpy()
        if not own.any():
            return cls()
        width = said["width"].to_numpy()[own]
        missed = [(said["low"].to_numpy() - spend)[own] / width, (spend - said["high"].to_numpy())[own] / width]
        level = min(1.0, np.ceil((own.sum() + 1) * (1 + COVERAGE) / 2) / own.sum())
        below, above = (float(np.quantile(distance, level, method="higher")) for distance in missed)
        return cls(round(below, 6), round(above, 6))

    def apply(self, said: pd.DataFrame) -> pd.DataFrame:
        """The same with the range widened; never below 0, and never without the expected value."""
        low = np.clip(said["low"] - self.low * said["width"], 0.0, said["expected"])
        high = np.maximum(said["high"] + self.high * said["width"], said["expected"])
        return said.assign(low=low, high=high)
