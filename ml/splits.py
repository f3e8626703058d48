"""Splits in time order with a gap for the label: no split may learn from a day that a later one predicts."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from ml.frames import as_date, as_days


class LeakError(ValueError):
    """A label of one split ends on or after the first as-of date of a later split."""


@dataclass(frozen=True)
class Slice:
    """Rows used together, and the days they reach.

    Attributes
    ----------
    name : str
        What the rows are for, e.g. ``"train"``.
    rows : array of int, shape (n_rows,)
        Positions in the frame that was split.
    first_as_of, last_label_day : date or None
        First day on which something is predicted; last day that a label read. None without rows.
    """

    name: str
    rows: npt.NDArray[np.intp]
    first_as_of: datetime.date | None
    last_label_day: datetime.date | None


@dataclass(frozen=True)
class Fold:
    """A pair of slices, the earlier one to learn from and the later one to judge on."""

    train: Slice
    judged: Slice

    def __post_init__(self) -> None:
        check_time_order([self.train, self.judged])


def check_time_order(slices: Sequence[Slice]) -> None:
    """Raise `LeakError` unless each slice's last label day lies before the first as-of date of the next.

    Slices without rows hold no label and are passed over.
    """
    days = [(part.name, part.first_as_of, part.last_label_day) for part in slices]
    filled = [(name, first, last) for name, first, last in days if first is not None and last is not None]
    for (earlier, _, last_label_day), (later, first_as_of, _) in pairwise(filled):
        if last_label_day >= first_as_of:
            raise LeakError(
                f"the labels of '{earlier}' reach {last_label_day}, but '{later}' predicts from {first_as_of} on: "
                "it would be judged on days that training has seen."
            )


def make_slice(name: str, selected: npt.NDArray[np.bool_], as_of: pd.Series, last_label_day: pd.Series) -> Slice:
    """The slice of the rows where `selected` is true; `as_of` and `last_label_day` hold one day a row."""
    rows = np.flatnonzero(selected)
    if not len(rows):
        return Slice(name, rows, None, None)
    return Slice(name, rows, as_date(as_of.iloc[rows].min()), as_date(last_label_day.iloc[rows].max()))


def spaced_dates(
    dates: Iterable[object], before: datetime.date, horizon_days: int, at_most: int
) -> list[datetime.date]:
    """Dates whose label windows overlap neither each other nor `before`: the newest first, then backwards.

    Returns
    -------
    list of date
        Ascending, at most `at_most`, each at least `horizon_days` before the next one and before `before`.
    """
    chosen: list[datetime.date] = []
    limit = before - datetime.timedelta(days=horizon_days)
    for day in sorted({as_date(day) for day in dates}, reverse=True):
        if len(chosen) == at_most:
            break
        if day <= limit:
            chosen.append(day)
            limit = day - datetime.timedelta(days=horizon_days)
    return chosen[::-1]


def folds_by_date(as_of: pd.Series, horizon_days: int, fold_dates: Sequence[datetime.date]) -> list[Fold]:
    """One fold for each of `fold_dates`: judged at that date, trained on dates whose windows end before it.

    Parameters
    ----------
    as_of : Series of shape (n_rows,)
        As-of date of each row; its label window is ``[as_of, as_of + horizon_days)``.
    """
    days = as_days(as_of)
    last_label_day = days + pd.Timedelta(days=horizon_days - 1)
    folds = []
    for fold_date in fold_dates:
        judged_from = pd.Timestamp(fold_date)
        train = make_slice("train", (last_label_day < judged_from).to_numpy(), days, last_label_day)
        judged = make_slice("validation", (days == judged_from).to_numpy(), days, last_label_day)
        folds.append(Fold(train, judged))
    return folds


def cut_label_windows(
    first_event_on: pd.Series, label_ends_on: pd.Series, cut: datetime.date
) -> tuple[npt.NDArray[np.int64], pd.Series]:
    """Labels as they were known when `cut` began: windows still open then are cut short, not dropped.

    Returns
    -------
    labels : array of shape (n_rows,), 1 where the event was seen before `cut`
    last_label_day : Series, the earlier of the window's end and the day before `cut`
    """
    begin = pd.Timestamp(cut)
    labels = (as_days(first_event_on) < begin).to_numpy().astype(np.int64)
    last_day = as_days(label_ends_on)
    last_day = last_day.where(last_day < begin, begin - pd.Timedelta(days=1))
    return labels, last_day
