"""Distribution shift: which features changed their pace since the last as-of date, over all features at once.

Features accumulate: next week everybody is seven days older and has spent a little more. So a date is not held against
the one before, but its change against the changes before it. With p_t the shares of customers in the bins of a feature
at date t = 0 … K + 1::

    d = (p_{K+1} - p_K) - mean over k = 1 … K of (p_k - p_{k-1})        effect = ½ Σ|d|

The effect (total variation) is the share of customers that lie in another bin than they would at the usual pace, 0 … 1.

How large it gets by chance is asked of all features together. Neighboring dates share their customers, and features of
one customer hang together, so a customer is one block: its influence on d, over all of its dates, gets one random
weight that all features share (multiplier bootstrap: Chernozhukov, Chetverikov, Kato 2013, Annals of Statistics 41(6),
2786-2819; weights Poisson(1) - 1 have the first three moments of drawing customers with replacement). d is a sum of
such influences that add up to 0, so the draws are around 0, as they have to be where the pace did not change. The
statistic of a run is the largest studentized effect over all features, which makes p-values hold for the run as a whole
(max-T: Westfall, Young 1993, Resampling-Based Multiple Testing, chapter 2).

Customers alone do not say how much weeks differ from each other: a holiday moves all of them, and with a million
customers every week is significant. For that there are two further conditions, which the caller sets: a least effect,
and `usual`, the largest change of pace among the K pairs before: what a feature did in one of the weeks before, it may
do again. It also keeps an alarm from echoing while its own week is among those it is held against.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

BINS = 10
LEVELS = 9


@dataclass(frozen=True)
class Panel:
    """Rows of one feature table at the dates to compare.

    Attributes
    ----------
    customers : (rows,) whole numbers from 0, the same for a customer in all tables.
    dates : (rows,) number of the as-of date, from 0, the oldest; K + 1 is the one that is judged.
    features : name to (rows,) values: numbers with NaN for null, or words with None for null.
    """

    customers: Codes
    dates: Codes
    features: Mapping[str, npt.NDArray[Any]]

    @cached_property
    def neighbors(self) -> tuple[Codes, Codes]:
        """Numbers of the rows of a customer at a date and at the next."""
        order = np.lexsort((self.dates, self.customers))
        follows = (np.diff(self.customers[order]) == 0) & (np.diff(self.dates[order]) == 1)
        return order[:-1][follows], order[1:][follows]


@dataclass(frozen=True)
class Shift:
    """How one feature changed its pace.

    Attributes
    ----------
    feature : its name.
    effect : share of customers that moved; up to 1, or above by what the pace itself moves.
    usual : the largest effect among the pairs of dates before.
    p_value : chance of so extreme an effect in any feature of the run where none changed its pace.
    null_share, null_share_before : share of customers without a value, at the judged date and the one before.
    """

    feature: str
    effect: float
    usual: float
    p_value: float
    null_share: float
    null_share_before: float


def measure_shifts(panels: Sequence[Panel], pairs: int, draws: int = 500, seed: int = 1) -> list[Shift]:
    """Measure every feature that was known at all dates before the judged one.

    Parameters
    ----------
    panels : tables, with customers and dates numbered alike.
    pairs : K, pairs of dates that say what is usual; the panels hold K + 2 dates.
    draws : bootstrap draws.
    seed : of the draws.

    Returns
    -------
    list of Shift
        Largest effect first. A feature that nobody had at an earlier date (its source or its window just began) is
        left out, and so is a table without rows at one of the dates.
    """
    customers = 1 + max((int(panel.customers.max(initial=-1)) for panel in panels), default=-1)
    weights = (np.random.default_rng(seed).poisson(1, (draws, customers)) - 1).astype(np.float32)
    found: list[tuple[str, Numbers, Numbers]] = []
    statistics, drawn = [], []
    for panel in panels:
        for name, shares, influence in _measured(panel, pairs, customers):
            effect = _effect(_change_of_pace(shares, pairs))
            by_chance = _effect((weights @ influence.astype(np.float32)).astype(np.float64))
            # Half a customer more or less is nothing, however steady a feature is.
            spread = max(float(by_chance.std()), 0.5 / max(customers, 1))
            statistics.append((effect - by_chance.mean()) / spread)
            drawn.append((by_chance - by_chance.mean()) / spread)
            found.append((name, shares, effect))
    if not found:
        return []
    largest = np.max(drawn, axis=0)
    shifts = [
        Shift(
            name,
            float(effect),
            _usual(shares, pairs),
            float((1 + np.sum(largest >= statistic)) / (1 + draws)),
            float(shares[-1, -1]),
            float(shares[-2, -1]),
        )
        for (name, shares, effect), statistic in zip(found, statistics, strict=True)
    ]
    return sorted(shifts, key=lambda shift: (-shift.effect, shift.feature))


def _measured(panel: Panel, pairs: int, customers: int) -> Iterator[tuple[str, Numbers, Numbers]]:
    """Name, shares (dates, bins) and influences on the change of pace (customers, bins) of each feature."""
    dates = pairs + 2
    rows_at = np.bincount(panel.dates, minlength=dates)
    if not rows_at.all():
        return
    # Weight of each date's shares in the change of pace; the mean over pairs leaves of them only both ends.
    weight_at = np.zeros(dates)
    weight_at[[-1, -2, 0]] += 1, -1 - 1 / pairs, 1 / pairs
    row_weights = (weight_at / rows_at)[panel.dates]
    present = np.zeros((customers, dates))
    np.add.at(present, (panel.customers, panel.dates), row_weights)
    for name, values in panel.features.items():
        memberships, count = _memberships(values, panel, pairs)
        shares = np.zeros((dates, count))
        for bins, membership in memberships:
            shares += np.bincount(panel.dates * count + bins, membership, dates * count).reshape(dates, count)
        shares /= rows_at[:, None]
        if (shares[:-1, -1] == 1).any():
            continue
        influence = -present @ shares
        for bins, membership in memberships:
            cells = panel.customers * count + bins
            influence += np.bincount(cells, row_weights * membership, customers * count).reshape(customers, count)
        yield name, shares, influence


def _memberships(values: npt.NDArray[Any], panel: Panel, pairs: int) -> tuple[list[tuple[Codes, Numbers]], int]:
    """Bins of each row with its share in each, and the number of bins; the last one is null.

    The dates before the judged one fix the bins. A number between two knots belongs to both, the more to the nearer
    one: where many customers have the same value (a rate of nobody's own yet), a tiny step of it would otherwise take
    all of them over an edge.
    """
    before = panel.dates <= pairs
    if values.dtype == object:
        known = np.array([value is not None for value in values], dtype=bool)
        words = np.where(known, values, "").astype(str)
        levels, counts = np.unique(words[before & known], return_counts=True)
        kept = np.sort(levels[np.argsort(-counts, kind="stable")[:LEVELS]])
        position = np.searchsorted(kept, words)
        is_kept = np.isin(words, kept)
        last = len(kept) + 1
        place = np.where(known, np.where(is_kept, position, len(kept)), last).astype(np.float64)
    else:
        known = ~np.isnan(values)
        steady = values - _clock(values, panel, pairs) * panel.dates
        knots = _knots(steady[before & known])
        last = len(knots)
        place = np.where(known, np.interp(steady, knots, np.arange(last)), last)
    lower = np.floor(place).astype(np.int64)
    nearer_upper = place - lower
    return [(lower, 1 - nearer_upper), (np.minimum(lower + 1, last), nearer_upper)], last + 1


def _knots(values: Numbers) -> Numbers:
    """Quantiles and the middles of both tails, none nearer to the next than a twentieth of what most values span; and
    one as far outside on each side, for what no date before had.
    """
    if not len(values):
        return np.zeros(1)
    at = np.linspace(0.05, 0.95, BINS)
    quantiles = np.quantile(values, at, method="inverted_cdf")
    low, high = quantiles[0], quantiles[-1]
    tails = [np.median(tail) for tail in (values[values < low], values[values > high]) if len(tail)]
    knots: list[float] = []
    for knot in np.unique([*quantiles, *tails]):
        if not knots or knot - knots[-1] >= (high - low) / 20:
            knots.append(float(knot))
    span = knots[-1] - knots[0] or abs(knots[-1]) or 1.0
    return np.array([knots[0] - span, *knots, knots[-1] + span])


def _clock(values: Numbers, panel: Panel, pairs: int) -> float:
    """What most customers gain from date to date, if most gain exactly the same: days that pass.

    Without this, the many customers who came in one week would cross from bin to bin together.
    """
    first, second = panel.neighbors
    gains = (values[second] - values[first])[panel.dates[second] <= pairs]
    gains = gains[~np.isnan(gains)]
    if not len(gains):
        return 0.0
    usual = float(np.median(gains))
    return usual if np.mean(gains == usual) > 0.5 else 0.0


def _change_of_pace(shares: Numbers, pairs: int) -> Numbers:
    changes: Numbers = np.diff(shares, axis=0)
    usual: Numbers = changes[:pairs].mean(axis=0)
    return np.asarray(changes[pairs] - usual)


def _usual(shares: Numbers, pairs: int) -> float:
    """Largest change of pace among the pairs before, each held against the mean of the others."""
    changes = np.diff(shares, axis=0)[:pairs]
    others = (changes.sum(axis=0) - changes) / max(pairs - 1, 1)
    return float(_effect(changes - others).max())


def _effect(change: Numbers) -> Numbers:
    """Total variation over the last axis."""
    return np.asarray(0.5 * np.abs(change).sum(axis=-1))
