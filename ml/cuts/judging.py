"""What a cut gave on the hold-out, with intervals: customers drawn with all their rows, the cut stays as chosen."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ml.resampling import drawn_counts, draws, interval

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float, float]

# Shares contacted at which a curve is told; ties make it fewer.
GRID = (0.01, *(step / 40 for step in range(1, 41)))


@dataclass(frozen=True)
class Reached:
    """What lies at or above a cut: as it is, and in each resample; arrays of shape (1 + n_resamples,)."""

    contacted: Floats
    positives: Floats
    all_rows: Floats
    all_positives: Floats

    def precision(self) -> Interval:
        """Positives among those contacted, with its 95% interval; NaN if nobody is."""
        return interval(_over(self.positives, self.contacted))

    def recall(self) -> Interval:
        """Positives reached among all positives."""
        return interval(_over(self.positives, self.all_positives))

    def lift(self) -> Interval:
        """Precision over the rate of positives among all."""
        return interval(_over(_over(self.positives, self.contacted), _over(self.all_positives, self.all_rows)))

    def profit(self, unit_cost: float, margin: float) -> Interval:
        """``margin * positives - unit_cost * contacted`` over all rows of the slice."""
        return interval(margin * self.positives - unit_cost * self.contacted)


def _over(top: Floats, bottom: Floats) -> Floats:
    quotient: Floats = np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0)
    return quotient


def reached(cuts: Floats, scores: Floats, labels: Floats, blocks: npt.NDArray[np.intp]) -> list[Reached]:
    """What each of `cuts` gives, in their order.

    Parameters
    ----------
    cuts : array of shape (n_cuts,), any order
    scores, labels : arrays of shape (n_rows,)
    blocks : array of shape (n_rows,)
        What is drawn: see `ml.resampling.blocks_of`.
    """
    steps = np.unique(cuts)
    # How many of the cuts each row passes, and its label: all that any cut needs is the count of rows in each cell.
    passed = np.searchsorted(steps, scores, side="right")
    cells = 2 * passed + labels.astype(np.intp)
    counts = drawn_counts(cells, 2 * (len(steps) + 1), blocks, draws(int(blocks.max(initial=-1)) + 1))
    negatives, positives = counts[:, 0::2], counts[:, 1::2]
    above = np.cumsum((negatives + positives)[:, ::-1], axis=1)[:, ::-1]
    hits = np.cumsum(positives[:, ::-1], axis=1)[:, ::-1]
    return [
        Reached(above[:, place + 1], hits[:, place + 1], above[:, 0], hits[:, 0])
        for place in np.searchsorted(steps, cuts)
    ]


def grid_cuts(scores: Floats) -> Floats:
    """The scores at which the shares of `GRID` are contacted, the highest first; equal ones once, the last is all."""
    ordered = np.sort(scores)[::-1]
    ranks = np.ceil(np.array(GRID) * len(ordered)).astype(int)
    return np.unique(ordered[np.maximum(ranks, 1) - 1])[::-1]
