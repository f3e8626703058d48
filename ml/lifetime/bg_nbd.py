"""How often customers will buy again: the BG/NBD model, fitted by a quasi-Newton method with analytic gradients.

While a customer is active, purchase days come as a Poisson process with a rate of the customer's own; after each of
them the customer leaves for good with a probability of their own. Rates are Gamma distributed over customers
(r, alpha), the probabilities of leaving Beta distributed (a, b). Fader, Hardie and Lee, "'Counting Your Customers' the
Easy Way: An Alternative to the Pareto/NBD Model", Marketing Science 24 (2005) 275-284; equation numbers are of that
paper.
"""

from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import betainc, betaln, digamma, expit, gammaln, hyp2f1
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ml.lifetime.histories import REPEATS, Histories, TooLittleError, histories_of
from ml.lifetime.maximum import BOUND, maximize

Floats = npt.NDArray[np.float64]
Numbers = Floats | float

# From so many distinct histories on, the search begins on a part of them: most steps then cost a fraction.
SAMPLED_FROM = 20_000
# Nearer to a = 1 the formula of the expectation is nothing divided by nothing; nearer to a whole r - a, or with larger
# parameters, SciPy's hypergeometric function is wrong (infinite, at r = a and a long t). Then the chances are summed.
NEAR = 1e-4
LARGE = 3000.0
ROUNDING = 1e-9
BLOCK = 1_000_000


class BGNBD(BaseEstimator):  # type: ignore[misc]
    """BG/NBD model of purchase days to come.

    Parameters
    ----------
    max_iterations : int
        Limit of quasi-Newton steps.

    Attributes
    ----------
    r_, alpha_ : float
        Shape and rate of the Gamma distribution of purchase rates; alpha_ in days (the unit of the columns).
    a_, b_ : float
        Beta distribution of the probability to leave after a purchase day.
    log_likelihood_ : float
        At these parameters, over all customers; time in the unit of the columns.
    n_histories_ : int
        Distinct histories that the likelihood was worked out for.
    at_bound_ : bool
        Whether a parameter ran to the end of what is searched: the data do not say what it is (nobody ever leaves,
        for example, or all buy at one rate). Predictions stay defined.

    Examples
    --------
    >>> model = BGNBD().fit(features)  # doctest: +SKIP
    >>> model.expected_purchases(features, days=90)  # doctest: +SKIP
    """

    def __init__(self, max_iterations: int = 500) -> None:
        self.max_iterations = max_iterations

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Find the parameters under which the histories are likeliest.

        Parameters
        ----------
        X : DataFrame with ``repeat_purchase_day_count``, ``days_between_first_and_last_purchase``,
            ``customer_age_days``; one row a customer, in any order
        y : ignored

        Raises
        ------
        MissingColumnsError, HistoryError
            If a column is missing or a history cannot be; see `histories_of`.
        TooLittleError
            If all customers bought on one day only.
        """
        rows = histories_of(X).collapsed()
        if not rows.repeats.any():
            raise TooLittleError(
                f"{REPEATS} is 0 in all {int(rows.counts.sum())} rows: nobody came back, so there is nothing to learn "
                "about coming back. Next: take a later as-of date, or the base value."
            )
        start = np.log([1.0, np.average(rows.age, weights=rows.counts), 1.0, 1.0])
        step = len(rows.counts) // SAMPLED_FROM
        samples = [rows.sample(step * 4)] if step else []
        found = maximize(_Likelihood, [*samples, rows], start, self.max_iterations)
        self.r_, self.alpha_, self.a_, self.b_ = (float(value) for value in np.exp(found.at))
        self.log_likelihood_ = found.value
        self.n_histories_ = len(rows.counts)
        self.at_bound_ = bool((np.abs(found.at) >= BOUND).any())
        return self

    def log_likelihood(self, X: pd.DataFrame) -> float:
        """Sum over the customers of the logarithm of eq. 6."""
        return _Likelihood(histories_of(X).collapsed())(np.log(self._parameters()))[0]

    def probability_alive(self, X: pd.DataFrame) -> Floats:
        """Probability that a customer has not left for good, shape (n_rows,); 1 for one-time buyers, by the model."""
        return self._alive(histories_of(X))

    def expected_purchases(self, X: pd.DataFrame, days: float) -> Floats:
        """Expected purchase days in the `days` days from the end of the history on (eq. 10), shape (n_rows,).

        A repeat on the same day does not count, as in the history.
        """
        _check_days(days)
        rows = histories_of(X)
        r, alpha, a, b = self._parameters()
        active = _expected_if_active(r + rows.repeats, alpha + rows.age, a, b + rows.repeats, days)
        return self._alive(rows) * active

    def expected_purchases_of_new_customer(self, days: npt.ArrayLike) -> Floats:
        """Expected repeat purchase days in the first `days` days after the first purchase (eq. 9), shape of `days`."""
        _check_days(days)
        r, alpha, a, b = self._parameters()
        return _expected_if_active(r, alpha, a, b, np.asarray(days, dtype=np.float64))

    def purchase_distribution(self, X: pd.DataFrame, days: float, at_most: int) -> Floats:
        """Probability of 0, 1, ... `at_most` - 1, and of `at_most` or more, purchase days in the next `days` days.

        Whoever is active buys min(N, G) times: N is what the rate brings (negative binomial over customers), G the
        purchase after which they leave (beta-geometric). The two are independent given the history, so that the chance
        of at least n is the product of two tails, exactly.

        Returns
        -------
        array of shape (n_rows, at_most + 1); rows add up to 1
        """
        _check_days(days)
        if at_most < 1:
            raise ValueError(f"at_most is {at_most}; it must be at least 1.")
        rows = histories_of(X)
        r, alpha, a, b = self._parameters()
        count = np.arange(1, at_most + 1, dtype=np.float64)
        shape, rate, stay = (values[:, None] for values in (r + rows.repeats, alpha + rows.age, b + rows.repeats))
        tail = betainc(count, shape, days / (rate + days)) * np.exp(betaln(a, stay + count - 1) - betaln(a, stay))
        at_least = np.hstack([np.ones((len(rows.age), 1)), self._alive(rows)[:, None] * tail])
        found: Floats = np.hstack([-np.diff(at_least, axis=1), at_least[:, -1:]])
        return np.clip(found, 0.0, 1.0)

    def draw_purchases(self, X: pd.DataFrame, days: float, draws: int, generator: np.random.Generator) -> Floats:
        """Purchase days in the next `days` days, drawn `draws` times a customer; shape (n_rows, draws).

        Rows are drawn for in their order: sort them first where the result must not depend on it.
        """
        _check_days(days)
        rows = histories_of(X)
        r, alpha, a, b = self._parameters()
        size = (len(rows.age), draws)
        rate = generator.gamma((r + rows.repeats)[:, None], 1 / (alpha + rows.age)[:, None], size)
        leaving = np.clip(generator.beta(a, (b + rows.repeats)[:, None], size), 1e-12, 1.0)
        bought = np.minimum(generator.poisson(rate * days), generator.geometric(leaving))
        active = generator.random(size) < self._alive(rows)[:, None]
        drawn: Floats = np.where(active, bought, 0).astype(np.float64)
        return drawn

    def _alive(self, rows: Histories) -> Floats:
        r, alpha, a, b = self._parameters()
        x = rows.repeats
        odds = (
            np.log(a) - np.log(b + np.maximum(x, 1) - 1) + (r + x) * np.log((alpha + rows.age) / (alpha + rows.between))
        )
        alive: Floats = np.where(x > 0, expit(-odds), 1.0)
        return alive

    def _parameters(self) -> tuple[float, float, float, float]:
        check_is_fitted(self, "r_")
        return self.r_, self.alpha_, self.a_, self.b_


class _Likelihood:
    """The log-likelihood (eq. 6) and its gradient by the logarithms of r, alpha, a and b.

    Gamma functions depend on x alone, logarithms on T or t_x alone, of which there are few distinct values each: they
    are worked out once a value. What is left for each history is a product and an exponential, and for those who came
    back only.
    """

    def __init__(self, rows: Histories) -> None:
        came_back = rows.repeats > 0
        self._x, x_place = np.unique(rows.repeats, return_inverse=True)
        self._age, age_place = np.unique(rows.age, return_inverse=True)
        self._customers = np.bincount(x_place, weights=rows.counts)
        self._once = np.bincount(age_place[~came_back], weights=rows.counts[~came_back], minlength=len(self._age))
        self._x_place, self._age_place = x_place[came_back], age_place[came_back]
        self._between, self._between_place = np.unique(rows.between[came_back], return_inverse=True)
        self._counts = rows.counts[came_back]
        self.weight = float(rows.counts.sum())

    def __call__(self, logs: Floats) -> tuple[float, Floats]:
        r, alpha, a, b = np.exp(logs)
        x, n = self._x, self._customers
        value = n @ (gammaln(r + x) - gammaln(r) + betaln(a, b + x) - betaln(a, b)) + self.weight * r * np.log(alpha)
        of_sum, of_b = digamma(a + b) - digamma(a + b + x), digamma(b + x) - digamma(b)
        by_r = n @ (digamma(r + x) - digamma(r)) + self.weight * np.log(alpha)
        by_a, by_b = n @ of_sum, n @ (of_sum + of_b)

        until_now, until_last = alpha + self._age, alpha + self._between
        log_now, log_last = np.log(until_now), np.log(until_last)
        staying = b + np.maximum(x, 1) - 1
        # Of those who came back: had they left at their last purchase, against being active still. Log of the odds.
        of_now = log_now[self._age_place]
        power = (r + x)[self._x_place]
        odds = np.log(a / staying)[self._x_place] + power * (of_now - log_last[self._between_place])
        small = np.exp(-np.abs(odds))
        left = self._counts * np.where(odds > 0, 1.0, small) / (1 + small)
        active = self._counts - left
        value += self._counts @ (np.maximum(odds, 0) + np.log1p(small) - power * of_now) - r * (self._once @ log_now)

        def summed(weights: Floats, places: npt.NDArray[np.intp], size: int) -> Floats:
            found: Floats = np.bincount(places, weights=weights, minlength=size).astype(np.float64)
            return found

        active_by_age = summed(active, self._age_place, len(self._age)) + self._once
        left_by_last = summed(left, self._between_place, len(self._between))
        left_by_x = summed(left, self._x_place, len(x))
        powers_by_age = summed(active * power, self._age_place, len(self._age)) + r * self._once
        powers_by_last = summed(left * power, self._between_place, len(self._between))
        by_r -= active_by_age @ log_now + left_by_last @ log_last
        by_alpha = self.weight * r / alpha - powers_by_age @ (1 / until_now) - powers_by_last @ (1 / until_last)
        by_a += left.sum() / a
        by_b -= left_by_x @ (1 / staying)
        return float(value), np.array([by_r * r, by_alpha * alpha, by_a * a, by_b * b])


def _expected_if_active(shape: Numbers, rate: Numbers, a: float, stay: Numbers, days: Numbers) -> Floats:
    """Expected purchase days in `days` days of somebody who is active now (eq. 9 and 10 after Euler's transformation).

    As printed, the hypergeometric function grows without bound with the number of purchases, and a tiny factor before
    it takes that back. Euler's transformation 2F1(s, b; c; z) = (1 - z)**(c - s - b) 2F1(c - s, c - b; c; z) cancels
    the two: what is left stays near 1.
    """
    shape, rate, stay, days = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in (shape, rate, stay, days)))
    apart = float(shape.flat[0]) - a if shape.size else 0.5
    if min(abs(a - 1), abs(apart - np.round(apart))) < NEAR or max(a, stay.max(initial=0.0)) > LARGE:
        return _summed_if_active(shape, rate, a, stay, days)
    z = days / (rate + days)
    c = a + stay - 1
    found: Floats = c / (a - 1) * (1 - (1 - z) ** (a - 1) * hyp2f1(c - shape, a - 1, c, z))
    # Nobody buys more often than if they could not leave.
    wrong = ~((found >= -ROUNDING) & (found <= shape * days / rate * (1 + ROUNDING) + ROUNDING))
    if wrong.any():
        found[wrong] = _summed_if_active(shape[wrong], rate[wrong], a, stay[wrong], days[wrong])
    return np.maximum(found, 0.0)


def _summed_if_active(shape: Floats, rate: Floats, a: float, stay: Floats, days: Floats) -> Floats:
    """The same as the sum of the chances of at least 1, 2, ... purchase days; slower, and always right."""
    found = np.zeros(shape.shape)
    flat = [np.ravel(values) for values in (shape, rate, stay, days)]
    mean = flat[0] * flat[3] / flat[1]
    # Beyond, less than e**-40 of a geometric tail is left.
    terms = mean + 40 * np.sqrt(mean * (1 + flat[3] / flat[1])) + 40 * (1 + flat[3] / flat[1]) + 40
    order = np.argsort(terms, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, int(BLOCK // terms[order[min(start + BLOCK // 100, len(order) - 1)]]))
        block = order[start : start + size]
        of_block = [values[block, None] for values in flat]
        count = np.arange(1, np.ceil(terms[block].max()) + 1)
        bought = betainc(count, of_block[0], of_block[3] / (of_block[1] + of_block[3]))
        stayed = np.exp(betaln(a, of_block[2] + count - 1) - betaln(a, of_block[2]))
        found.flat[block] = (bought * stayed).sum(axis=1)
        start += size
    return found


def _check_days(days: npt.ArrayLike) -> None:
    given = np.asarray(days, dtype=np.float64)
    if not (np.isfinite(given) & (given >= 0)).all():
        raise ValueError(f"days is {given.tolist()}; it must be finite and at least 0.")
