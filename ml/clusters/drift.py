"""Have customers changed so much since the model was fitted that it should be fitted anew?

Two samples of customers, when the model was fitted and now, both divided by that model. For each feature the effect is
the share of customers that lie in another bin than then (total variation over bins that the first sample sets); for
each segment it is the difference of its share of customers. An alarm needs both:

* more than chance, over all features and segments of the run together. Most customers are in both samples, and the
  features of one customer hang together, so a customer is one block: its influence on every difference gets one random
  weight (multiplier bootstrap: Chernozhukov, Chetverikov, Kato 2013, Annals of Statistics 41(6), 2786-2819), Poisson(1)
  less 1, which has the first three moments of drawing customers with replacement. The influences add up to 0, so the
  draws lie around "no change". The statistic is the largest studentized effect of all (max-T: Westfall, Young 1993,
  Resampling-Based Multiple Testing, chapter 2): the rate of false alarms holds for a run.
* a least effect: in a large shop every week differs from the one before.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import feature_matrix, in_key_order

Floats = npt.NDArray[np.float64]

# Hat functions at these quantiles: what lies between two knots counts for both, the more for the nearer one, so that
# many customers with nearly the same value do not cross an edge together.
QUANTILES = np.linspace(0.05, 0.95, 10)
MAX_CUSTOMERS = 20_000
COLUMNS = ("kind", "name", "share_before", "share_now", "effect", "population_stability_index", "p_value",
           "min_effect", "is_alarm")  # fmt: skip


@dataclass(frozen=True)
class DriftLimits:
    """When a change is an alarm.

    Attributes
    ----------
    false_alarm_rate : float
        Of runs in which nothing changed, the share that may alarm.
    min_feature_effect : float
        Share of customers that must have moved to another bin of a feature.
    min_segment_effect : float
        By how much a segment's share of customers must have changed, as a share of all customers.
    draws : int
        Bootstrap draws.
    """

    false_alarm_rate: float = 0.05
    min_feature_effect: float = 0.1
    min_segment_effect: float = 0.05
    draws: int = 500


def measure_drift(
    before: pd.DataFrame,
    now: pd.DataFrame,
    features: Sequence[str],
    segment: str = "cluster_key",
    limits: DriftLimits | None = None,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure every feature and segment between two samples.

    Parameters
    ----------
    before, now : DataFrame with customer_id, the features and the column `segment`
        One row a customer; both divided by the same model.
    features : names of numeric features
    limits : what counts as an alarm
    seed : of the draws

    Returns
    -------
    DataFrame with `COLUMNS`
        Features, then segments, each with the largest effect first. share_before and share_now are of segments.
        p_value: chance of so extreme an effect anywhere in a run in which nothing changed.
    """
    limits = limits or DriftLimits()
    before, now = _sampled(before), _sampled(now)
    customers = pd.Index(np.union1d(before["customer_id"].astype(str), now["customer_id"].astype(str)))
    weights = (np.random.default_rng(seed).poisson(1, (limits.draws, len(customers))) - 1).astype(np.float32)
    sides = [
        _Side(customers.get_indexer(pd.Index(part["customer_id"].astype(str))), len(customers))
        for part in (before, now)
    ]
    matrices = [feature_matrix(part, features, (), "the features held against each other") for part in (before, now)]
    rows: list[dict[str, object]] = []
    statistics, drawn = [], []

    def add(row: dict[str, object], effect: float, by_chance: Floats) -> None:
        # Half a customer more or less is nothing, however steady a feature is.
        spread = max(float(by_chance.std()), 0.5 / max(len(customers), 1))
        statistics.append((effect - by_chance.mean()) / spread)
        drawn.append((by_chance - by_chance.mean()) / spread)
        rows.append({**row, "effect": round(effect, 6)})

    for name in features:
        knots = _knots(matrices[0][name].to_numpy())
        binned = [_memberships(matrix[name].to_numpy(), knots) for matrix in matrices]
        shares = [part.mean(axis=0) for part in binned]
        influence = sides[1].influence(binned[1]) - sides[0].influence(binned[0])
        by_chance = 0.5 * np.abs(weights @ influence.astype(np.float32)).sum(axis=1).astype(np.float64)
        stability = {"population_stability_index": round(_stability_index(shares[0], shares[1], len(before)), 6)}
        least = {"min_effect": limits.min_feature_effect}
        effect = 0.5 * float(np.abs(shares[1] - shares[0]).sum())
        add({"kind": "feature", "name": name, **stability, **least}, effect, by_chance)
    for key in sorted(set(before[segment]) | set(now[segment])):
        member = [(part[segment] == key).to_numpy(dtype=np.float64)[:, None] for part in (before, now)]
        influence = sides[1].influence(member[1]) - sides[0].influence(member[0])
        by_chance = np.abs(weights @ influence.astype(np.float32))[:, 0].astype(np.float64)
        share = {"share_before": round(float(member[0].mean()), 6), "share_now": round(float(member[1].mean()), 6)}
        least = {"min_effect": limits.min_segment_effect}
        add(
            {"kind": "segment", "name": key, **share, **least},
            float(abs(member[1].mean() - member[0].mean())),
            by_chance,
        )
    largest = np.max(drawn, axis=0)
    found = pd.DataFrame(rows)
    found["p_value"] = [float((1 + np.sum(largest >= one)) / (1 + limits.draws)) for one in statistics]
    found["is_alarm"] = (found["p_value"] <= limits.false_alarm_rate) & (found["effect"] >= found["min_effect"])
    found = found.reindex(columns=list(COLUMNS)).sort_values(["kind", "effect", "name"], ascending=[True, False, True])
    return found.reset_index(drop=True)


class _Side:
    """One of the two samples: where its customers stand among all."""

    def __init__(self, positions: npt.NDArray[np.intp], customers: int) -> None:
        self._positions, self._customers = positions, customers

    def influence(self, memberships: Floats) -> Floats:
        """How much each customer moves the shares, shape (n_customers, n_bins); 0 for who is not in the sample."""
        found = np.zeros((self._customers, memberships.shape[1]))
        found[self._positions] = (memberships - memberships.mean(axis=0)) / len(memberships)
        return found


def _sampled(frame: pd.DataFrame) -> pd.DataFrame:
    """At most `MAX_CUSTOMERS`, the same ones on both sides as far as they are there: by a hash of the id."""
    rows = in_key_order(frame, ("customer_id",), "the features held against each other")
    if len(rows) <= MAX_CUSTOMERS:
        return rows
    place = pd.util.hash_pandas_object(rows["customer_id"].astype(str), index=False)
    return rows[(place.rank(method="first") <= MAX_CUSTOMERS).to_numpy()].reset_index(drop=True)


def _knots(values: Floats) -> Floats:
    """Quantiles of what is known, none nearer to the next than a twentieth of what most values span."""
    known = values[~np.isnan(values)]
    if not len(known):
        return np.zeros(1)
    quantiles = np.unique(np.quantile(known, QUANTILES, method="inverted_cdf"))
    least = (quantiles[-1] - quantiles[0]) / 20
    knots = [float(quantiles[0])]
    for knot in quantiles[1:]:
        if knot - knots[-1] >= least:
            knots.append(float(knot))
    # One as far outside on each side, for what nobody had.
    span = knots[-1] - knots[0] or abs(knots[-1]) or 1.0
    return np.array([knots[0] - span, *knots, knots[-1] + span])


def _memberships(values: Floats, knots: Floats) -> Floats:
    """Share of each value in each bin, shape (n_values, n_knots + 1); the last bin is null."""
    known = ~np.isnan(values)
    last = len(knots)
    place = np.where(known, np.interp(np.where(known, values, 0.0), knots, np.arange(last)), last)
    lower = np.floor(place).astype(np.intp)
    found = np.zeros((len(values), last + 1))
    rows = np.arange(len(values))
    found[rows, lower] = 1 - (place - lower)
    found[rows, np.minimum(lower + 1, last)] += place - lower
    return found


def _stability_index(before: Floats, now: Floats, count: int) -> float:
    """The population stability index: sum of the differences of shares times the logarithm of their ratio.

    Below 0.1 is usually called steady, above 0.25 a large change. An empty bin counts as half a customer.
    """
    least = 0.5 / max(count, 1)
    first, second = np.maximum(before, least), np.maximum(now, least)
    return float(((second - first) * np.log(second / first)).sum())
