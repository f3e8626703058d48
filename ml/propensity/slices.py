"""Rows in time order: what is learned from, what calibrates, what judges; each with the labels known at its time."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.propensity.calibration import rows_per_class
from ml.splits import Slice, check_time_order

Labels = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Part:
    """Rows with their labels as known at some time.

    Attributes
    ----------
    slice : Slice
        Which rows, from when on they predict, and the last day that a label of theirs read.
    labels : array of 0 and 1, shape (n_rows,)
    seen : array of shape (n_rows,), optional
        Of the events of the whole window the share that could have been seen (`ml.propensity.timing`). None: all.
    """

    slice: Slice
    labels: Labels
    seen: npt.NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def where(self, kept: npt.NDArray[np.bool_]) -> "Part":
        """The part without the rows where `kept` is false; its days stay."""
        part = self.slice
        seen = None if self.seen is None else self.seen[kept]
        return Part(Slice(part.name, part.rows[kept], part.first_as_of, part.last_label_day), self.labels[kept], seen)

    def as_seen(self, probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probabilities of the whole window as those of what could have been seen of it."""
        return probabilities if self.seen is None else probabilities * self.seen


@dataclass(frozen=True)
class Split:
    """A pair of parts, the earlier one to learn from and the later one to judge on."""

    learned: Part
    judged: Part

    def __post_init__(self) -> None:
        check_time_order([self.learned.slice, self.judged.slice])

    def is_usable(self, min_rows_per_class: int) -> bool:
        """Whether enough can be learned, and anything judged."""
        return rows_per_class(self.learned.labels) >= min_rows_per_class and len(self.judged) > 0


@dataclass(frozen=True)
class Plan:
    """All rows of a training, and how they are used one after the other.

    Attributes
    ----------
    rows : DataFrame of shape (n_rows, n_keys + n_features)
        In key order.
    folds : list of Split
        What candidates and settings are chosen on; before `selection`.
    selection : list of Split
        Each judged by a model that learned from before it. Together they are the slice on which probabilities are
        calibrated and cuts may be chosen; before the hold-out.
    hold_out : Split
        Everything before it, and what reports.

    Raises
    ------
    LeakError
        If labels of the folds reach the selection, or those of the selection reach the hold-out.
    """

    rows: pd.DataFrame
    folds: list[Split]
    selection: list[Split]
    hold_out: Split

    def __post_init__(self) -> None:
        for judged_before, judged_after in ((self.folds, self.selection), (self.selection, [self.hold_out])):
            begins = [part.first_as_of for part in _judged(judged_after) if part.first_as_of is not None]
            if not begins:
                continue
            first = Slice("what is judged next", np.zeros(0, dtype=np.intp), min(begins), min(begins))
            for part in _judged(judged_before):
                check_time_order([part, first])

    @property
    def trained_through(self) -> datetime.date | None:
        """Last day whose label the final model saw."""
        return self.hold_out.learned.slice.last_label_day


def _judged(splits: Sequence[Split]) -> list[Slice]:
    return [split.judged.slice for split in splits]
