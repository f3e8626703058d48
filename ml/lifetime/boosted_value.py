"""Spend to come from the feature catalogue: gradient-boosted trees that say how a customer's pace will change.

They learn on as-of dates whose windows had ended. An earlier date has shorter histories than the one that is predicted:
trees cannot go beyond what they saw, so that they are given nothing that grows with time alone. Sums since the first
order are divided by the days since then, and what is predicted is a multiple of the customer's own pace so far.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.utils.validation import check_is_fitted

from ml.frames import feature_matrix
from ml.lifetime.histories import AGE, HistoryError
from ml.lifetime.purchase_value import SINCE, TOTAL
from ml.threads import one_thread

Floats = npt.NDArray[np.float64]

GROWING = (
    "order_count",
    "repeat_purchase_day_count",
    TOTAL,
    "coupon_value",
    "coupons_redeemed",
    "campaigns_received",
)
STEADY = (
    SINCE,
    "median_days_between_orders",
    "order_gap_ratio",
    "order_count_7d",
    "order_count_28d",
    "order_count_90d",
    "purchase_day_count_28d",
    "purchase_day_count_90d",
    "spend_28d",
    "spend_90d",
    "mean_order_value",
    "mean_lines_per_order",
    "mean_line_value",
    "repeat_line_share",
    "private_brand_spend_share",
    "weekend_order_share",
    "evening_order_share",
    "retail_discount_share",
    "discounted_line_share",
    "coupon_order_share",
    "coupon_order_count_90d",
    "days_since_last_coupon_order",
    "days_since_last_campaign",
    "campaign_response_rate",
)
FEATURES = (AGE, *GROWING, *STEADY)
# A pace over less is one order divided by a day or two.
LEAST_DAYS = 28
# Who paid nothing in all has a pace, too, or nothing could be a multiple of it: this share of everybody's.
LEAST_PACE = 0.02
MIN_ROWS = 200


class BoostedValue(BaseEstimator):  # type: ignore[misc]
    """Gradient boosting of spend within a horizon (Poisson deviance, which is least at the mean), and of two quantiles.

    Parameters
    ----------
    horizon_days : int
    coverage : float
        Share of the customers that the range is meant to hold.
    rounds, learning_rate, max_leaf_nodes, min_leaf : as of `HistGradientBoostingRegressor`

    Attributes
    ----------
    mean_, low_, high_ : HistGradientBoostingRegressor
    least_pace_ : float
        Money a day that everybody's pace is at least.
    """

    def __init__(
        self,
        horizon_days: int = 90,
        coverage: float = 0.95,
        rounds: int = 60,
        learning_rate: float = 0.05,
        max_leaf_nodes: int = 8,
        min_leaf: int = 100,
    ) -> None:
        self.horizon_days = horizon_days
        self.coverage = coverage
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.min_leaf = min_leaf

    def fit(self, X: pd.DataFrame, y: npt.ArrayLike) -> Self:
        """Learn from rows whose windows have ended.

        Parameters
        ----------
        X : DataFrame with `FEATURES`; null is a value of its own, and a column may be null throughout
        y : array of shape (n_rows,), spend in the window, at least 0; in the order of `X`

        Raises
        ------
        MissingColumnsError, WrongTypeError
            If a feature is not there, or no number.
        HistoryError
            If a feature is infinite, or a spend negative or not finite.
        """
        spend = np.asarray(y, dtype=np.float64)
        if not (np.isfinite(spend) & (spend >= 0)).all():
            raise HistoryError("the spend to learn from is negative, null or infinite. Next: look at label_value.")
        matrix = _checked(X)
        self.least_pace_ = float(max(LEAST_PACE * spend.mean() / self.horizon_days, 1e-6))
        columns, base = self._columns(matrix), self._base(matrix)
        tail = (1 - self.coverage) / 2
        with one_thread():
            # The weights make the sum of the ratios' deviances that of the amounts.
            self.mean_ = self._trees(loss="poisson").fit(columns, spend / base, sample_weight=base)
            self.low_, self.high_ = (
                self._trees(loss="quantile", quantile=level).fit(columns, spend / base) for level in (tail, 1 - tail)
            )
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Expected spend, shape (n_rows,)."""
        return self._predicted(X, "mean_")[0]

    def predict_range(self, X: pd.DataFrame) -> tuple[Floats, Floats]:
        """Lower and upper quantile of spend, shape (n_rows,)."""
        low, high = self._predicted(X, "low_", "high_")
        return np.minimum(low, high), np.maximum(low, high)

    def _predicted(self, X: pd.DataFrame, *names: str) -> list[Floats]:
        check_is_fitted(self, "mean_")
        matrix = _checked(X)
        columns, base = self._columns(matrix), self._base(matrix)
        with one_thread():
            return [np.maximum(getattr(self, name).predict(columns) * base, 0.0) for name in names]

    def _trees(self, **loss: float | str) -> HistGradientBoostingRegressor:
        return HistGradientBoostingRegressor(
            max_iter=self.rounds,
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_leaf,
            l2_regularization=10.0,
            early_stopping=False,
            random_state=0,
            **loss,
        )

    def _base(self, matrix: pd.DataFrame) -> Floats:
        """What the pace so far would bring within the horizon."""
        pace = matrix[TOTAL].to_numpy() / np.maximum(matrix[AGE].to_numpy(), LEAST_DAYS)
        base: Floats = self.horizon_days * np.maximum(np.nan_to_num(pace), self.least_pace_)
        return base

    def _columns(self, matrix: pd.DataFrame) -> Floats:
        age = np.maximum(matrix[AGE].to_numpy(), LEAST_DAYS)
        growing = matrix[list(GROWING)].to_numpy() / age[:, None]
        own_pace = np.maximum(np.nan_to_num(growing[:, GROWING.index(TOTAL)]), self.least_pace_)
        change = matrix["spend_28d"].to_numpy() / 28 / own_pace
        silence = matrix[SINCE].to_numpy() / age
        columns = np.column_stack([growing, matrix[list(STEADY)].to_numpy(), change, silence])
        # Below every count and amount: scikit-learn's own treatment of nulls fails on a column that is null throughout.
        filled: Floats = np.where(np.isnan(columns), -1.0, columns)
        return filled


def _checked(features: pd.DataFrame) -> pd.DataFrame:
    matrix = feature_matrix(features, FEATURES, (), "the features of lifetime value")
    infinite = np.isinf(matrix.to_numpy())
    if infinite.any():
        row, column = (int(place[0]) for place in np.nonzero(infinite))
        raise HistoryError(
            f"the features of lifetime value: {matrix.columns[column]} is infinite in row {row}. "
            "Next: look for a division by nothing in the model of the feature."
        )
    return matrix
