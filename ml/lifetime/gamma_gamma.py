"""How much a purchase will bring: the Gamma-Gamma model of mean values.

A customer's purchases are Gamma distributed around a mean of the customer's own, which is spread over customers so that
its inverse scale is Gamma distributed, and does not depend on how often they buy. Fader and Hardie, "The Gamma-Gamma
Model of Monetary Value" (2013), brucehardie.com/notes/025; equation numbers are of that note (its gamma is `v_` here).
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import digamma, gammaln
from scipy.stats import pearsonr, spearmanr
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ml.frames import feature_matrix
from ml.lifetime.histories import HistoryError, TooLittleError
from ml.lifetime.maximum import BOUND, maximize

Floats = npt.NDArray[np.float64]

COUNT = "purchase_day_count"
MEAN = "mean_order_value"
MIN_CUSTOMERS = 10


class GammaGamma(BaseEstimator):  # type: ignore[misc]
    """Gamma-Gamma model of the value of a purchase day.

    Parameters
    ----------
    max_iterations : int
        Limit of quasi-Newton steps.

    Attributes
    ----------
    p_, q_, v_ : float
        Shape of a customer's purchases, shape and rate of the Gamma distribution of their scale; v_ is money.
    log_likelihood_ : float
    correlation_, rank_correlation_ : float
        Pearson's and Spearman's correlation of count and mean value: the model holds them for independent, and far from
        0 it is biased. NaN where one of the two is the same for everybody.
    n_customers_ : int
    at_bound_ : bool
        Whether a parameter ran to the end of what is searched (everybody spends the same, for example).
    """

    def __init__(self, max_iterations: int = 500) -> None:
        self.max_iterations = max_iterations

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Find the parameters under which the mean values are likeliest (eq. 1a).

        Parameters
        ----------
        X : DataFrame with ``purchase_day_count`` (at least 1) and ``mean_order_value`` (above 0)
            One row a customer, in any order. Purchases of one day are one; the mean is over the days that are counted,
            all of them or the repeat ones.
        y : ignored

        Raises
        ------
        MissingColumnsError
            If a column is not there.
        HistoryError
            If a value is null, infinite or not positive.
        TooLittleError
            If there are fewer than 10 rows.
        """
        count, mean = _values(X)
        if len(count) < MIN_CUSTOMERS:
            raise TooLittleError(
                f"the mean values have {len(count)} rows, and three numbers cannot be learned from fewer than "
                f"{MIN_CUSTOMERS}. Next: take more customers, or the base value."
            )
        order = np.lexsort((mean, count))
        stage = (count[order], mean[order])
        middle = float(np.median(mean))
        found = maximize(_Likelihood, [stage], np.log([2.0, 3.0, middle]), self.max_iterations)
        self.p_, self.q_, self.v_ = (float(value) for value in np.exp(found.at))
        self.log_likelihood_ = found.value
        self.at_bound_ = bool((np.abs(found.at) >= BOUND).any())
        self.n_customers_ = len(count)
        varied = len(np.unique(count)) > 1 and len(np.unique(mean)) > 1
        self.correlation_ = float(pearsonr(*stage).statistic) if varied else float("nan")
        self.rank_correlation_ = float(spearmanr(*stage).statistic) if varied else float("nan")
        return self

    def log_likelihood(self, X: pd.DataFrame) -> float:
        """Sum over the customers of the logarithm of eq. 1a."""
        return _Likelihood(_values(X))(np.log(self._parameters()))[0]

    @property
    def mean_of_all(self) -> float:
        """Expected value of a purchase of a customer of whom nothing is known; infinite where q_ is at most 1."""
        p, q, v = self._parameters()
        return p * v / (q - 1) if q > 1 else float("inf")

    def expected_value(self, X: pd.DataFrame) -> Floats:
        """Expected value of the next purchase, given the mean so far (eq. 5), shape (n_rows,).

        Raises
        ------
        TooLittleError
            If the expectation is infinite for a row (p x + q <= 1).
        """
        count, mean = _values(X)
        p, q, v = self._parameters()
        below = p * count + q - 1
        if (below <= 0).any():
            raise TooLittleError(
                f"the expected value is infinite in {int((below <= 0).sum())} row(s) (p = {p:.4g}, q = {q:.4g}): the "
                "values vary too much for a mean. Next: look for outliers in the values, or take the base value."
            )
        expected: Floats = p * (v + count * mean) / below
        return expected

    def draw_totals(self, X: pd.DataFrame, purchases: Floats, generator: np.random.Generator) -> Floats:
        """Total value of so many further purchases, drawn once for each entry of `purchases`.

        Parameters
        ----------
        purchases : array of shape (n_rows, draws); not necessarily whole (a discounted purchase is less than one)
        """
        count, mean = _values(X)
        p, q, v = self._parameters()
        scale = generator.gamma((q + p * count)[:, None], 1 / (v + count * mean)[:, None], purchases.shape)
        drawn: Floats = generator.gamma(np.maximum(p * purchases, 1e-12)) / scale
        return np.where(purchases > 0, drawn, 0.0)

    def _parameters(self) -> tuple[float, float, float]:
        check_is_fitted(self, "p_")
        return self.p_, self.q_, self.v_


class _Likelihood:
    """The log-likelihood (eq. 1a) and its gradient by the logarithms of p, q and v."""

    def __init__(self, data: tuple[Floats, Floats]) -> None:
        self._count, self._mean = data
        self._total = self._count * self._mean
        self._log_total, self._log_mean = np.log(self._total), np.log(self._mean)
        # Gamma functions depend on the count alone, of which there are few distinct ones.
        self._x, self._customers = np.unique(self._count, return_counts=True)
        self.weight = float(len(self._count))

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        p, q, v = np.exp(logs)
        x, n = self._x, self._customers
        both = p * x + q
        value = n @ (gammaln(both) - gammaln(p * x) - gammaln(q)) + self.weight * q * np.log(v)
        of_both = digamma(both)
        by_p = (n * x) @ (of_both - digamma(p * x))
        by_q = n @ (of_both - digamma(q)) + self.weight * np.log(v)

        whole = v + self._total
        log_whole = np.log(whole)
        shape = p * self._count
        value += (shape @ (self._log_total - log_whole)) - q * log_whole.sum() - self._log_mean.sum()
        by_p += self._count @ (self._log_total - log_whole)
        by_q -= log_whole.sum()
        by_v = self.weight * q / v - (shape + q) @ (1 / whole)
        return float(value), np.array([by_p * p, by_q * q, by_v * v])


def _values(frame: pd.DataFrame) -> tuple[Floats, Floats]:
    matrix = feature_matrix(frame, (COUNT, MEAN), (), "the mean values")
    for column, least in ((COUNT, 1.0), (MEAN, np.finfo(np.float64).tiny)):
        values = matrix[column].to_numpy()
        wrong = ~(np.isfinite(values) & (values >= least))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise HistoryError(
                f"the mean values: {column} is null, infinite or {'below 1' if column == COUNT else 'not positive'} in "
                f"{int(wrong.sum())} row(s), first in row {row}: {matrix.iloc[row].to_dict()}. Next: leave out who "
                "bought nothing, or gave all of it back."
            )
    return matrix[COUNT].to_numpy(), matrix[MEAN].to_numpy()
