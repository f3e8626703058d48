"""Spend to come from purchase histories alone: how often (BG/NBD) times how much (Gamma-Gamma), discounted."""

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ml.frames import feature_matrix
from ml.lifetime.bg_nbd import BGNBD
from ml.lifetime.gamma_gamma import COUNT, MEAN, GammaGamma
from ml.lifetime.histories import AGE, BETWEEN, HISTORY, REPEATS

Floats = npt.NDArray[np.float64]

SINCE = "days_since_last_order"
TOTAL = "total_spend"
FEATURES = (REPEATS, AGE, SINCE, TOTAL)
# Points of time at which purchases to come are worked out, for discounting: the curve is smooth.
TIMES = 4
DRAWS = 400
SEED = 20170101
# Draws are made for so many customers at a time: 400 each are 80 MB a number.
BLOCK = 25_000


class PurchaseValue(BaseEstimator):  # type: ignore[misc]
    """Expected spend within a horizon, and the range in which it lies, from four features.

    A purchase day is what is counted; its value is all that was paid on it, the first day's, too. What came later than
    the histories is not needed, so that it can be fitted on the day on which it predicts.

    Parameters
    ----------
    horizon_days : int
    yearly_discount : float
        Money of a day t is divided by ``(1 + yearly_discount) ** (t / 365)``.
    coverage : float
        Share of the customers that the range is meant to hold.

    Attributes
    ----------
    purchases_ : BGNBD
    values_ : GammaGamma
    """

    def __init__(self, horizon_days: int = 90, yearly_discount: float = 0.1, coverage: float = 0.95) -> None:
        self.horizon_days = horizon_days
        self.yearly_discount = yearly_discount
        self.coverage = coverage

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Fit both models to the customers of one as-of date.

        Parameters
        ----------
        X : DataFrame with `FEATURES`; who paid nothing in all counts for how often, and not for how much
        y : ignored

        Raises
        ------
        MissingColumnsError, HistoryError, TooLittleError
            See `BGNBD.fit` and `GammaGamma.fit`.
        """
        rows = histories(X)
        self.purchases_ = BGNBD().fit(rows)
        self.values_ = GammaGamma().fit(rows[rows[MEAN] > 0])
        return self

    def predict(self, X: pd.DataFrame) -> Floats:
        """Expected discounted spend, shape (n_rows,); 0 for who paid nothing in all so far."""
        check_is_fitted(self, "values_")
        rows = histories(X)
        paid = (rows[MEAN] > 0).to_numpy()
        expected = np.zeros(len(rows))
        if paid.any():
            expected[paid] = self._purchases(rows[paid])[1] * self.values_.expected_value(rows[paid])
        return expected

    def predict_range(self, X: pd.DataFrame) -> tuple[Floats, Floats]:
        """Lower and upper end of the middle `coverage` of what the model draws for each customer, shape (n_rows,).

        Same histories get the same draws, whichever order the rows come in.
        """
        check_is_fitted(self, "values_")
        rows = histories(X)
        tails = [(1 - self.coverage) / 2, (1 + self.coverage) / 2]
        ends = np.zeros((2, len(rows)))
        order = np.lexsort([rows[column].to_numpy() for column in rows.columns])
        order = order[rows[MEAN].to_numpy()[order] > 0]
        distinct = rows.iloc[order].drop_duplicates()
        place = (~rows.iloc[order].duplicated()).to_numpy().cumsum() - 1
        found = np.zeros((2, len(distinct)))
        generator = np.random.default_rng(SEED)
        for start in range(0, len(distinct), BLOCK):
            block = distinct.iloc[start : start + BLOCK]
            plain, discounted = self._purchases(block)
            bought = self.purchases_.draw_purchases(block, self.horizon_days, DRAWS, generator)
            spent = self.values_.draw_totals(block, bought, generator)
            kept = np.divide(discounted, plain, out=np.ones(len(block)), where=plain > 0)
            found[:, start : start + BLOCK] = np.quantile(spent, tails, axis=1) * kept
        ends[:, order] = found[:, place]
        return ends[0], ends[1]

    def facts(self) -> dict[str, float | bool]:
        """The parameters of both models, and whether their assumptions held."""
        bought, paid = self.purchases_, self.values_
        found = {name: float(f"{getattr(bought, name + '_'):.6g}") for name in ("r", "alpha", "a", "b")}
        found |= {name: float(f"{getattr(paid, name + '_'):.6g}") for name in ("p", "q", "v")}
        named = {"correlation": paid.correlation_, "rank_correlation": paid.rank_correlation_}
        return {
            **found,
            **{f"{name}_of_count_and_value": round(value, 4) for name, value in named.items() if np.isfinite(value)},
            "parameter_at_bound": bought.at_bound_ or paid.at_bound_,
        }

    def _purchases(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        """Expected purchase days within the horizon, as they are and discounted.

        By parts: what is expected up to t, with the weight that the discount loses at t, over all t; at a few points of
        Gauss and Legendre's rule.
        """
        horizon, rate = self.horizon_days, np.log1p(self.yearly_discount) / 365
        plain = self.purchases_.expected_purchases(rows, horizon)
        points, weights = np.polynomial.legendre.leggauss(TIMES)
        lost = sum(
            weight * horizon / 2 * rate * np.exp(-rate * time) * self.purchases_.expected_purchases(rows, time)
            for time, weight in zip(horizon / 2 * (points + 1), weights, strict=True)
        )
        return plain, plain * np.exp(-rate * horizon) + lost


def histories(features: pd.DataFrame) -> pd.DataFrame:
    """What `BGNBD` and `GammaGamma` want to know, from the features of `feat_customer_rfm`; one row a row."""
    given = feature_matrix(features, FEATURES, (), "the purchase histories")
    count = given[REPEATS] + 1
    columns = {REPEATS: given[REPEATS], BETWEEN: given[AGE] - given[SINCE], AGE: given[AGE]}
    return pd.DataFrame({**columns, COUNT: count, MEAN: given[TOTAL] / count})[[*HISTORY, COUNT, MEAN]]
