"""Have customers changed between two samples by more than chance, over everything that is looked at together?

Each thing looked at is divided into bins; its effect is the share of rows that lie in another bin than then (total
variation). An alarm needs both:

* more than chance, over all things of the run together. Most customers are in both samples, on one or several dates,
  and the features of one customer hang together, so a customer is one block: its influence on every difference gets one
  random weight (multiplier bootstrap: Chernozhukov, Chetverikov, Kato 2013, Annals of Statistics 41(6), 2786-2819),
  Poisson(1) less 1, which has the first three moments of drawing customers with replacement. The influences add up to
  0, so the draws lie around "no change". The statistic is the largest studentized effect of all (max-T: Westfall, Young
  1993, Resampling-Based Multiple Testing, chapter 2): the rate of false alarms holds for a run.
* a least effect: in a large shop every week differs from the one before.

What belongs here: bins, and the comparison. What must not: what is compared (`ml.clusters.drift`,
`ml.monitoring.model_drift`).
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

# Hat functions at these quantiles: what lies between two knots counts for both, the more for the nearer one, so that
# many customers with nearly the same value do not cross an edge together.
QUANTILES = np.linspace(0.05, 0.95, 10)
MAX_CUSTOMERS = 20_000


class Comparison:
    """Two samples of customers, held against each other in one thing after the other.

    Parameters
    ----------
    before, now : Series of customer ids, a row each; a customer may have several rows
    draws : bootstrap draws
    seed : of the draws
    """

    def __init__(self, before: pd.Series, now: pd.Series, draws: int, seed: int) -> None:
        ids = (before.astype(str), now.astype(str))
        customers = pd.Index(np.union1d(*ids))
        self._places = [customers.get_indexer(pd.Index(part)) for part in ids]
        self._customers, self._draws = len(customers), draws
        self._weights = (np.random.default_rng(seed).poisson(1, (draws, len(customers))) - 1).astype(np.float32)
        self._rows: list[dict[str, object]] = []
        self._statistics: list[float] = []
        self._drawn: list[Floats] = []

    def add(self, row: dict[str, object], before: Floats, now: Floats) -> None:
        """Compare one thing.

        Parameters
        ----------
        row : what it is, for the table
        before, now : arrays of shape (n_rows, n_bins), share of each row in each bin; one bin alone is membership of a
            group, whose effect is the difference of its shares
        """
        factor = 0.5 if before.shape[1] > 1 else 1.0
        effect = factor * float(np.abs(now.mean(axis=0) - before.mean(axis=0)).sum())
        influence = self._influence(1, now) - self._influence(0, before)
        by_chance = factor * np.abs(self._weights @ influence.astype(np.float32)).sum(axis=1).astype(np.float64)
        # Half a customer more or less is nothing, however steady a feature is.
        spread = max(float(by_chance.std()), 0.5 / max(self._customers, 1))
        self._statistics.append((effect - by_chance.mean()) / spread)
        self._drawn.append((by_chance - by_chance.mean()) / spread)
        self._rows.append({**row, "effect": round(effect, 6)})

    def _influence(self, side: int, memberships: Floats) -> Floats:
        """How much each customer moves the shares, shape (n_customers, n_bins); 0 for who is not in the sample."""
        found = np.zeros((self._customers, memberships.shape[1]))
        np.add.at(found, self._places[side], (memberships - memberships.mean(axis=0)) / len(memberships))
        return found

    def table(self, false_alarm_rate: float) -> pd.DataFrame:
        """All that was compared, in its order, with effect, p_value and is_alarm.

        Each row has to hold min_effect. p_value: chance of so extreme an effect anywhere in a run in which nothing
        changed.
        """
        found = pd.DataFrame(self._rows)
        largest = np.max(self._drawn, axis=0)
        found["p_value"] = [float((1 + np.sum(largest >= one)) / (1 + self._draws)) for one in self._statistics]
        found["is_alarm"] = (found["p_value"] <= false_alarm_rate) & (found["effect"] >= found["min_effect"])
        return found


def chosen_customers(customers: pd.Series, at_most: int = MAX_CUSTOMERS) -> npt.NDArray[np.bool_]:
    """Rows of at most so many customers, the same ones in every sample if they are there: by a hash of the id."""
    ids = customers.astype(str)
    names = pd.Series(ids.unique())
    if len(names) <= at_most:
        return np.ones(len(ids), dtype=bool)
    place = pd.util.hash_pandas_object(names, index=False).rank(method="first")
    kept: npt.NDArray[np.bool_] = ids.isin(set(names[(place <= at_most).to_numpy()])).to_numpy()
    return kept


def knots(values: Floats) -> Floats:
    """Quantiles of what is known, none nearer to the next than a twentieth of what most values span."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(1)
    quantiles = np.unique(np.quantile(known, QUANTILES, method="inverted_cdf"))
    least = (quantiles[-1] - quantiles[0]) / 20
    found = [float(quantiles[0])]
    for knot in quantiles[1:]:
        if knot - found[-1] >= least:
            found.append(float(knot))
    # One as far outside on each side, for what nobody had.
    span = found[-1] - found[0] or abs(found[-1]) or 1.0
    return np.array([found[0] - span, *found, found[-1] + span])


def memberships(values: Floats, at: Floats) -> Floats:
    """Share of each number in each bin, shape (n_values, n_knots + 1); the last bin is null."""
    known = ~np.isnan(values)
    last = len(at)
    place = np.where(known, np.interp(np.where(known, values, 0.0), at, np.arange(last)), last)
    lower = np.floor(place).astype(np.intp)
    found = np.zeros((len(values), last + 1))
    rows = np.arange(len(values))
    found[rows, lower] = 1 - (place - lower)
    found[rows, np.minimum(lower + 1, last)] += place - lower
    return found


def stability_index(before: Floats, now: Floats, count: int) -> float:
    """The population stability index: sum of the differences of shares times the logarithm of their ratio.

    Below 0.1 is usually called steady, above 0.25 a large change. An empty bin counts as half a customer.
    """
    least = 0.5 / max(count, 1)
    first, second = np.maximum(before, least), np.maximum(now, least)
    return float(((second - first) * np.log(second / first)).sum())
