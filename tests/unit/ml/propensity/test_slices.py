import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.propensity.slices import Part, Plan, Split
from ml.splits import LeakError, Slice

DAY = datetime.date(2017, 6, 5)


def part(first: int, last: int, rows: int = 2) -> Part:
    days = [DAY + datetime.timedelta(days=number) for number in (first, last)]
    return Part(Slice("a part", np.arange(rows), *days), np.zeros(rows, dtype=np.int64))


def split(ends: int, begins: int, judged_until: int) -> Split:
    return Split(part(-100, ends), part(begins, judged_until))


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_a_plan_goes_forward_in_time_or_is_refused(
    fold: int, fold_ends: int, selection: int, selection_ends: int
) -> None:
    """The labels of the folds end before the selection begins, and those of the selection before the hold-out."""
    hold_out = 50
    in_order = fold_ends < selection and selection_ends < hold_out
    days = (fold, max(fold, fold_ends), selection, max(selection, selection_ends))

    def made() -> Plan:
        return Plan(
            pd.DataFrame(), [split(days[0] - 1, days[0], days[1])], [split(days[2] - 1, days[2], days[3])],
            split(hold_out - 1, hold_out, 70),
        )  # fmt: skip

    if days[1] < days[2] and days[3] < hold_out:
        assert made().trained_through == DAY + datetime.timedelta(days=hold_out - 1)
    else:
        assert not in_order or days[1:] != (fold_ends, selection, selection_ends)
        with pytest.raises(LeakError):
            made()


def test_a_split_that_learns_from_what_it_judges_is_refused() -> None:
    with pytest.raises(LeakError):
        split(10, 10, 20)


def test_part_of_a_part_keeps_what_was_seen() -> None:
    whole = Part(part(0, 5).slice, np.array([0, 1]), np.array([0.5, 1.0]))
    kept = whole.where(np.array([False, True]))
    assert (len(kept), kept.labels.tolist(), kept.as_seen(np.array([0.4])).tolist()) == (1, [1], [0.4])
    assert whole.as_seen(np.array([0.4, 0.4])).tolist() == [0.2, 0.4]
    assert part(0, 5).as_seen(np.array([0.4, 0.4])).tolist() == [0.4, 0.4]
