"""Who is alike: coarsened exact matching, date by date.

Iacus, King and Porro, *Causal Inference without Balance Checking: Coarsened Exact Matching*, Political Analysis 20
(2012). Each number is cut into a few bins; members are compared with the rest of their own cell, and a cell without
one of both is left out. Chosen over nearest neighbours (Rosenbaum and Rubin 1985) because it can be said in a sentence,
does not depend on the order of equal neighbours, costs one sort however large the shop, and because a bootstrap holds
for it (it does not for nearest neighbours with replacement: Abadie and Imbens 2008).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.backtest.rows import AMOUNTS, COUNTS, Rows

Floats = npt.NDArray[np.float64]

FINEST = 8
# How many bins the numbers above zero get: counts of purchase days, spend, all else. What is most like the outcome
# stays fine the longest.
LEVELS = ((8, 8, 8), (8, 8, 4), (8, 4, 2), (4, 4, 2), (4, 2, 2), (2, 2, 2))
# The finest level that finds somebody alike for so many of the members.
WANTED_SHARE = 0.8


@dataclass(frozen=True)
class Matching:
    """Weights that make the rest look like the members.

    Attributes
    ----------
    weights : array of shape (n_rows,)
        1 for a member that is matched, members per rest of its cell for the rest, 0 for who is not compared.
    level : tuple of int
        Bins that were used, of counts of purchase days, spend and all else.
    members, matched : int
        Member rows with an observed outcome, and those of them that share a cell with somebody of the rest.
    """

    weights: Floats
    level: tuple[int, int, int]
    members: int
    matched: int

    @property
    def share(self) -> float:
        """Share of the members that are matched; 0 without members."""
        return self.matched / self.members if self.members else 0.0


def matched(rows: Rows) -> Matching:
    """Match members with the rest, at the finest level that keeps `WANTED_SHARE` of them, else at the coarsest.

    What came after the date is not looked at, except whether it is known.
    """
    usable = rows.frame["is_observed"].to_numpy()
    member = rows.frame["is_member"].to_numpy() & usable
    rest = ~rows.frame["is_member"].to_numpy() & usable
    bins = {name: _bins(rows.frame[name].to_numpy(), usable) for name in rows.matched_on}
    found = Matching(np.zeros(len(usable)), LEVELS[-1], int(member.sum()), 0)
    if not member.any() or not rest.any():
        return found
    for level in LEVELS:
        cells = _cells(rows, bins, level)
        found = _weighted(cells, member, rest, level)
        if found.share >= WANTED_SHARE:
            break
    return found


def _bins(values: Floats, usable: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """`FINEST` bins of what is above zero, of equal size among the usable rows; 1 is zero or less, 0 is unknown."""
    above = values[usable & (values > 0)]
    edges = np.unique(np.quantile(above, np.arange(1, FINEST) / FINEST)) if len(above) else np.zeros(0)
    # Bins that are few because of ties keep their order; a value on an edge belongs below it.
    place = np.searchsorted(edges, values, side="left")
    return np.where(np.isnan(values), 0, np.where(values <= 0, 1, 2 + place)).astype(np.intp)


def _cells(rows: Rows, bins: dict[str, npt.NDArray[np.intp]], level: tuple[int, int, int]) -> npt.NDArray[np.intp]:
    """Number of each row's cell: date and bins."""
    key = rows.dates.astype(np.int64)
    for name, found in bins.items():
        wanted = level[0] if name in COUNTS else level[1] if name in AMOUNTS else level[2]
        coarse = np.where(found < 2, found, 2 + (found - 2) * wanted // FINEST)
        # Numbered anew after each step: ten columns of bins are more than a number of 64 bits can tell apart.
        key = np.unique(key * (FINEST + 2) + coarse, return_inverse=True)[1]
    return key


def _weighted(
    cells: npt.NDArray[np.intp], member: npt.NDArray[np.bool_], rest: npt.NDArray[np.bool_], level: tuple[int, int, int]
) -> Matching:
    count = int(cells.max()) + 1
    members, others = np.bincount(cells[member], minlength=count), np.bincount(cells[rest], minlength=count)
    both = (members > 0) & (others > 0)
    share = np.divide(members, others, out=np.zeros(count), where=both)
    weights = np.where(rest, share[cells], 0.0) + (member & both[cells])
    return Matching(weights, level, int(member.sum()), int(members[both].sum()))
