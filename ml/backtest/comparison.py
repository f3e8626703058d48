"""What members did beside the rest: differences with intervals, and whether they may be believed.

The difference is that of the matched, with what differs within cells taken out by a regression of the rest's outcomes
on their past (Abadie and Imbens, *Bias-Corrected Matching Estimators*, JBES 29, 2011). Its interval draws customers
with all their dates, by the contribution of each to the difference (Otsu and Rai, *Bootstrap Inference of Matching
Estimators*, JASA 112, 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.backtest.matching import Matching
from ml.backtest.rows import OUTCOMES, PLACEBO_OUTCOMES, Rows
from ml.balance import MAX_IMBALANCE, pooled_spread, standardized, weighted_mean
from ml.resampling import drawn_sums, draws, interval

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

# A placebo difference below this is too small to matter, however sure it is: of the purchase rate, and of the members'
# spend as a share of it.
TOLERATED_PLACEBO = 0.01
TOLERATED_SPEND_SHARE = 0.02
RIDGE = 1e-6


@dataclass(frozen=True)
class Difference:
    """One outcome of members and of those they are held against.

    Attributes
    ----------
    members, rest : float
        Mean outcome of each; `rest` is what the rest would have at the members' past.
    difference, low, high : float
        members - rest, and its 95% interval; NaN where there is nobody to compare.
    member_rows, rest_rows : int
    """

    members: float
    rest: float
    difference: float
    low: float
    high: float
    member_rows: int
    rest_rows: int


NOTHING = Difference(np.nan, np.nan, np.nan, np.nan, np.nan, 0, 0)


def comparisons(rows: Rows, matching: Matching) -> pd.DataFrame:
    """One row a comparison (naive, matched, placebo) and outcome."""
    times = draws(int(rows.blocks.max(initial=-1)) + 1)
    observed = rows.frame["is_observed"].to_numpy()
    member = rows.frame["is_member"].to_numpy()
    past = _past(rows)
    found = []
    for name, outcomes, weights, design in (
        ("all others", OUTCOMES, observed.astype(np.float64), None),
        ("matched", OUTCOMES, matching.weights, past),
        ("placebo", PLACEBO_OUTCOMES, matching.weights, past),
        ("placebo, all others", PLACEBO_OUTCOMES, observed.astype(np.float64), None),
    ):
        for outcome, column in zip(OUTCOMES, outcomes, strict=True):
            values = rows.frame[column].to_numpy()
            one = _difference(values, member, weights, design, rows, times)
            found.append({"comparison": name, "outcome": outcome, **vars(one)})
    return pd.DataFrame(found)


def _difference(
    outcome: Floats, member: Mask, weights: Floats, design: Floats | None, rows: Rows, times: Floats
) -> Difference:
    """The weighted difference, corrected by `design` (n_rows, n_columns) where there is one."""
    used = (weights > 0) & ~np.isnan(outcome)
    mine, other = used & member, used & ~member
    if not mine.any() or not other.any():
        return NOTHING
    weight = weights.copy()
    if design is not None and not used[weights > 0].all():
        weight = _rebalanced(weights, used, member, rows.dates)
        mine, other = mine & (weight > 0), other & (weight > 0)
        if not mine.any() or not other.any():
            return NOTHING
    expected = _expected(outcome, other, weight, design, rows.dates, mine | other)
    left = np.where(mine | other, outcome - expected, 0.0)
    size, against = weight[mine].sum(), weight[other].sum()
    correction = (weight * left)[other].sum() / against
    difference = float((weight * left)[mine].sum() / size - correction)
    own = float((weight * np.where(mine, outcome, 0.0))[mine].sum() / size)
    if design is not None and not outcome[other].min() <= own - difference <= outcome[other].max():
        # A line through customers unlike the members ends where nobody can be: the cells alone then.
        return _difference(outcome, member, weights, design[:, :0], rows, times)
    share = np.zeros(len(outcome))
    share[mine] = weight[mine] * (left[mine] - correction - difference) / size
    share[other] = -weight[other] * (left[other] - correction) / against
    sums = drawn_sums(share[:, None], rows.blocks, times)[:, 0]
    value, low, high = interval(difference + np.r_[0.0, sums[1:]])
    return Difference(own, own - value, value, low, high, int(mine.sum()), int(other.sum()))


def _rebalanced(weights: Floats, used: Mask, member: Mask, dates: npt.NDArray[np.intp]) -> Floats:
    """Weights for the rows that are used, so that on each date the rest weighs what the members do."""
    count = int(dates.max()) + 1
    mine = np.bincount(dates, weights * (used & member), count)
    other = np.bincount(dates, weights * (used & ~member), count)
    both = (mine > 0) & (other > 0)
    factor = np.divide(mine, other, out=np.zeros(count), where=both)
    return np.where(used, weights * np.where(member, both[dates], factor[dates]), 0.0)


def _expected(
    outcome: Floats, other: Mask, weight: Floats, design: Floats | None, dates: npt.NDArray[np.intp], wanted: Mask
) -> Floats:
    """What the past of each row lets expect, learned from the rest: a level for each date and one line for all."""
    if design is None:
        return np.full(len(outcome), np.average(outcome[other], weights=weight[other]))
    count, width = int(dates.max()) + 1, design.shape[1]
    level, means = np.zeros(count), np.zeros((count, width))
    square = RIDGE * np.eye(width) * max(float(weight[other].sum()), 1.0)
    cross = np.zeros(width)
    # Rows are in order of dates, and a date at a time is as much as fits beside a million customers.
    places = np.flatnonzero(other)
    for own in np.split(places, np.searchsorted(dates[places], np.arange(1, count))):
        if len(own):
            date, block, share = dates[own[0]], design[own], weight[own] / weight[own].sum()
            level[date], means[date] = share @ outcome[own], share @ block
            centered = block - means[date]
            square += centered.T @ (centered * weight[own][:, None])
            cross += centered.T @ (weight[own] * (outcome[own] - level[date]))
    line = np.linalg.solve(square, cross)
    expected = level[dates] + design @ line - (means @ line)[dates]
    return np.where(wanted, expected, 0.0)


def _past(rows: Rows) -> Floats:
    """Numbers before the date as a regression takes them: each with its logarithm, scaled; unknown apart."""
    columns = []
    for name in rows.matched_on:
        values = rows.frame[name].to_numpy()
        unknown = np.isnan(values)
        known = np.where(unknown, 0.0, values)
        columns += [known, np.log1p(np.maximum(known, 0.0))]
        if unknown.any():
            columns.append(unknown.astype(np.float64))
    design = np.column_stack(columns)
    spread = design.std(axis=0)
    scaled: Floats = (design - design.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    return scaled


def balance(rows: Rows, matching: Matching) -> pd.DataFrame:
    """Standardized mean differences between members and rest, before and after matching.

    Differences are over the spread before matching, so that both columns have one measure (Stuart 2010).

    Returns
    -------
    DataFrame with variable, is_matched_on, members, rest, rest_matched, before, after; means are of rows whose
    outcome is observed, `after` is NaN if nobody is matched.
    """
    observed = rows.frame["is_observed"].to_numpy()
    member = rows.frame["is_member"].to_numpy()
    found = []
    for name in (*rows.matched_on, *rows.others):
        values = rows.frame[name].to_numpy()
        known = ~np.isnan(values)
        mine, other = observed & member & known, observed & ~member & known
        if not mine.any() or not other.any():
            continue
        evenly = np.ones(len(values))
        spread = pooled_spread(values, mine, other, evenly)
        own, rest = float(values[mine].mean()), float(values[other].mean())
        own_matched = weighted_mean(values, mine, matching.weights)
        rest_matched = weighted_mean(values, other, matching.weights)
        found.append(
            {
                "variable": name,
                "is_matched_on": name in rows.matched_on,
                "members": own,
                "rest": rest,
                "members_matched": own_matched,
                "rest_matched": rest_matched,
                "before": standardized(own, rest, spread),
                "after": standardized(own_matched, rest_matched, spread),
            }
        )
    columns = ["variable", "is_matched_on", "members", "rest", "members_matched", "rest_matched", "before", "after"]
    return pd.DataFrame(found, columns=columns)


def doubts(balanced: pd.DataFrame, compared: pd.DataFrame, matching: Matching) -> list[str]:
    """Reasons, in sentences, why the matched comparison is not to be trusted; none if there are none."""
    if not matching.matched:
        return ["no member has anybody alike outside the segment"]
    found = []
    if matching.share < 0.5:
        found.append(f"only {matching.share:.0%} of the members have anybody alike outside the segment")
    uneven = balanced[balanced["is_matched_on"] & (balanced["after"].abs() > MAX_IMBALANCE)]
    if len(uneven):
        names = ", ".join(f"{row.variable} ({row.after:+.2f})" for row in uneven.itertuples())
        found.append(f"members and matched rest still differ in {names}")
    placebo = difference_of(compared, "placebo", "has_purchased")
    if np.isnan(placebo.difference):
        found.append("no earlier period is known in which to try the comparison (placebo)")
    elif abs(placebo.difference) > TOLERATED_PLACEBO and not placebo.low <= 0 <= placebo.high:
        found.append(
            f"they already differed by {100 * placebo.difference:+.1f} points in an earlier period that was not "
            "matched on (placebo), where they should not"
        )
    elif placebo.high - placebo.low > 2 * max(
        0.05, abs(difference_of(compared, "matched", "has_purchased").difference)
    ):
        found.append("the earlier period (placebo) has too few rows to tell")
    return found


def spend_doubt(compared: pd.DataFrame) -> str | None:
    """Why the difference in spend is not to be trusted though that in purchases may be; None if there is no reason."""
    placebo = difference_of(compared, "placebo", "spend")
    tolerated = TOLERATED_SPEND_SHARE * abs(placebo.members)
    if abs(placebo.difference) > tolerated and not placebo.low <= 0 <= placebo.high:
        return f"it already differed by {placebo.difference:+,.2f} in the earlier period (placebo)"
    return None


def difference_of(compared: pd.DataFrame, comparison: str, outcome: str = "has_purchased") -> Difference:
    """One row of `comparisons`."""
    own = compared[(compared["comparison"] == comparison) & (compared["outcome"] == outcome)]
    row = own.iloc[0].to_dict()
    return Difference(**{name: row[name] for name in Difference.__dataclass_fields__})


def levels(values: Floats, groups: Sequence[Mask], rows: Rows, times: Floats) -> list[tuple[float, float, float]]:
    """Mean of `values` in each group with its 95% interval, customers drawn; NaN for an empty group."""
    found = []
    for group in groups:
        inside = group & ~np.isnan(values)
        if not inside.any():
            found.append((np.nan, np.nan, np.nan))
            continue
        columns = np.column_stack([np.where(inside, values, 0.0), inside.astype(np.float64)])
        sums = drawn_sums(columns, rows.blocks, times)
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(interval(sums[:, 0] / sums[:, 1]))
    return found
