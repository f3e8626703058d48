"""The cut that serves a goal best on the selection slice. Nothing here is told what came of the hold-out.

A cut is a score: who has at least as much is contacted. Only scores that somebody has are tried, so that equal scores
are never parted, and the order of rows does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.cuts.goals import Goal

Floats = npt.NDArray[np.float64]

# A cut chosen on fewer positives (or negatives) would be noise.
MIN_POSITIVES = 20
# The first few by score may all be positive by luck: a precision is believed of so many people at least.
MIN_CONTACTED = 20


@dataclass(frozen=True)
class Curve:
    """What each possible cut gives: arrays of shape (n_distinct_scores,), the highest score first.

    Attributes
    ----------
    cuts : scores
    contacted : rows with at least that score
    positives : those of them with label 1
    """

    cuts: Floats
    contacted: Floats
    positives: Floats

    @property
    def total_positives(self) -> float:
        """Positives of the whole slice."""
        return float(self.positives[-1]) if len(self.positives) else 0.0

    @property
    def total(self) -> float:
        """Rows of the whole slice."""
        return float(self.contacted[-1]) if len(self.contacted) else 0.0


def curve_of(scores: Floats, labels: Floats) -> Curve:
    """The curve of a slice; `scores` and `labels` have shape (n_rows,)."""
    cuts, place = np.unique(-scores, return_inverse=True)
    contacted = np.cumsum(np.bincount(place, minlength=len(cuts))).astype(np.float64)
    return Curve(-cuts, contacted, np.cumsum(np.bincount(place, labels, minlength=len(cuts))))


@dataclass(frozen=True)
class Chosen:
    """A cut, or the reason why there is none; `note` says what else to know of it."""

    cut: float | None
    reason: str | None = None
    note: str | None = None


def choose(goal: Goal, curve: Curve, occasions: Sequence[Floats]) -> Chosen:
    """The cut for `goal`.

    Parameters
    ----------
    goal : Goal
    curve : the selection slice
    occasions : arrays of scores, one for each time at which people would be contacted together
        A budget is one for each of these: the dates or campaigns of the selection slice, and the current scores.
    """
    if goal.kind == "people":
        return _top(int(goal.wanted or 0), occasions)
    scarce = min(curve.total_positives, curve.total - curve.total_positives)
    if scarce < MIN_POSITIVES:
        return Chosen(
            None,
            f"the selection slice has {curve.total_positives:,.0f} positives in {curve.total:,.0f} rows: fewer than "
            f"{MIN_POSITIVES} of a kind tell no cut",
        )
    if goal.kind == "precision":
        return _precise(float(goal.wanted or 0), curve)
    if goal.kind == "recall":
        enough = curve.positives / curve.total_positives >= float(goal.wanted or 0)
        return Chosen(float(curve.cuts[np.argmax(enough)]))
    return _profitable(goal, curve)


def _precise(wanted: float, curve: Curve) -> Chosen:
    """The lowest cut whose precision is at least `wanted`: a higher wish is fulfilled by fewer of the same cuts."""
    believed = curve.contacted >= MIN_CONTACTED
    precision = curve.positives / curve.contacted
    enough = np.flatnonzero(believed & (precision >= wanted))
    if len(enough):
        return Chosen(float(curve.cuts[enough[-1]]))
    best = float(precision[believed].max())
    return Chosen(
        None,
        f"no cut of the selection slice reaches {wanted:.1%} among at least {MIN_CONTACTED} people; the most is "
        f"{best:.1%}",
    )


def _profitable(goal: Goal, curve: Curve) -> Chosen:
    profits = np.array([goal.profit(*pair) for pair in zip(curve.contacted, curve.positives, strict=True)])
    best = int(np.argmax(profits))  # of equal ones the first: the fewest people
    if profits[best] > 0:
        return Chosen(float(curve.cuts[best]))
    return Chosen(
        None,
        f"on the selection slice every cut costs more than it brings: contacting one costs {goal.unit_cost:,.2f}, "
        f"each positive brings {goal.margin:,.2f}",
    )


def _top(count: int, occasions: Sequence[Floats]) -> Chosen:
    """The lowest score that at most `count` have, on any of the occasions."""
    filled = [np.sort(scores)[::-1] for scores in occasions if len(scores)]
    if not filled:
        return Chosen(None, "there are no scores to choose from")
    known = np.unique(np.concatenate(filled))
    # On an occasion with more people the first who is too many, and all with the same score, stay below the cut.
    beyond = [scores for scores in filled if len(scores) > count]
    if not beyond:
        return Chosen(float(known[0]), note=f"there are never more than {count:,}: everybody is contacted")
    strictest = max(beyond, key=lambda scores: float(scores[count]))
    bound = float(strictest[count])
    above = known[known > bound]
    tied = int((strictest == bound).sum())
    inside = int((strictest > bound).sum())
    if not len(above):
        return Chosen(
            None,
            f"{tied:,} people share the highest score, {bound:.6g}: equal scores are not parted, so nobody is left",
        )
    note = None
    if inside < count:
        note = f"{tied:,} people share the score {bound:.6g}: with them it would be {inside + tied:,}, so they stay out"
    return Chosen(float(above[0]), note=note)
