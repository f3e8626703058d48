import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.splits import Fold, LeakError, Slice, check_time_order, cut_label_windows, folds_by_date, spaced_dates

DAY = datetime.date(2017, 10, 16)
ROWS = np.arange(1)
days = st.integers(min_value=0, max_value=400).map(lambda number: DAY - datetime.timedelta(days=number))


def test_a_label_that_reaches_the_hold_out_is_refused() -> None:
    train = Slice("train", ROWS, DAY - datetime.timedelta(days=13), DAY)
    test = Slice("hold-out", ROWS, DAY, DAY + datetime.timedelta(days=13))
    with pytest.raises(LeakError, match="'train' reach 2017-10-16, but 'hold-out' predicts from 2017-10-16"):
        check_time_order([train, test])
    with pytest.raises(LeakError):
        Fold(train, test)


def test_a_label_that_ends_the_day_before_is_accepted() -> None:
    train = Slice("train", ROWS, DAY - datetime.timedelta(days=14), DAY - datetime.timedelta(days=1))
    check_time_order([train, Slice("hold-out", ROWS, DAY, DAY)])


def test_a_slice_without_rows_does_not_hide_a_leak_behind_it() -> None:
    train = Slice("train", ROWS, DAY, DAY)
    empty = Slice("calibration", ROWS[:0], None, None)
    with pytest.raises(LeakError):
        check_time_order([train, empty, Slice("hold-out", ROWS, DAY, DAY)])


@given(st.lists(days, min_size=1, max_size=60), st.integers(1, 40), st.integers(1, 10))
def test_spaced_dates_never_overlap(dates: list[datetime.date], horizon: int, at_most: int) -> None:
    chosen = spaced_dates(dates, DAY, horizon, at_most)
    assert len(chosen) <= at_most
    assert set(chosen) <= set(dates)
    ends = [day + datetime.timedelta(days=horizon - 1) for day in chosen]
    assert all(end < later for end, later in zip(ends, [*chosen, DAY][1:], strict=True))


def test_spaced_dates_take_the_newest() -> None:
    weekly = [DAY - datetime.timedelta(days=7 * week) for week in range(10)]
    assert spaced_dates(weekly, DAY, 14, 2) == [DAY - datetime.timedelta(days=28), DAY - datetime.timedelta(days=14)]


@given(st.lists(days, min_size=2, max_size=40), st.integers(1, 40))
def test_folds_learn_only_from_windows_that_ended(dates: list[datetime.date], horizon: int) -> None:
    as_of = pd.Series(pd.to_datetime(pd.Series(dates)))
    for fold in folds_by_date(as_of, horizon, sorted(set(dates))):
        learned = as_of.iloc[fold.train.rows] + pd.Timedelta(days=horizon - 1)
        judged = as_of.iloc[fold.judged.rows]
        assert len(judged)
        assert not len(learned) or learned.max() < judged.min()


def test_an_open_window_is_cut_and_not_dropped() -> None:
    redeemed = pd.Series(pd.to_datetime(["2017-08-31", "2017-09-01", None]))
    ends = pd.Series(pd.to_datetime(["2017-08-20", "2017-09-24", "2017-09-24"]))
    labels, last_day = cut_label_windows(redeemed, ends, datetime.date(2017, 9, 1))
    assert labels.tolist() == [1, 0, 0]
    assert last_day.dt.strftime("%Y-%m-%d").tolist() == ["2017-08-20", "2017-08-31", "2017-08-31"]
