"""Purchase histories: what cannot be is refused by name, and the same ones are put together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.frames import MissingColumnsError
from ml.lifetime.histories import HISTORY, Histories, HistoryError, histories_of


def frame(*rows: tuple[float, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(HISTORY))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ((-1.0, 0.0, 9.0), "repeat_purchase_day_count is negative"),
        ((np.nan, 0.0, 9.0), "repeat_purchase_day_count is null or infinite"),
        ((1.0, 3.0, np.inf), "customer_age_days is null or infinite"),
        ((1.5, 3.0, 9.0), "repeat_purchase_day_count is not a whole number"),
        ((1.0, 10.0, 9.0), "more than customer_age_days"),
        ((2.0, 0.0, 9.0), "is 0, though repeat_purchase_day_count is not"),
        ((0.0, 4.0, 9.0), "is not 0, though repeat_purchase_day_count is"),
    ],
)
def test_what_cannot_be_is_refused_with_column_and_row(row: tuple[float, float, float], said: str) -> None:
    with pytest.raises(HistoryError, match=said) as refused:
        histories_of(frame((1.0, 2.0, 9.0), row))
    assert "first in row 1" in str(refused.value)
    assert "Next:" in str(refused.value)


def test_no_rows_and_no_columns_are_refused() -> None:
    with pytest.raises(HistoryError, match="have no rows"):
        histories_of(frame())
    with pytest.raises(MissingColumnsError, match="customer_age_days"):
        histories_of(frame((1.0, 2.0, 9.0)).drop(columns="customer_age_days"))


days = st.integers(0, 30).map(float)
halves = st.integers(0, 60).map(lambda value: value / 2)


@settings(deadline=None)
@given(st.lists(st.tuples(days, days, days) | st.tuples(days, halves, halves), min_size=1, max_size=40))
def test_collapsed_histories_are_each_there_once_and_count_everybody(rows: list[tuple[float, float, float]]) -> None:
    first, second, third = (np.array(column) for column in zip(*rows, strict=True))
    found = Histories(first, second, third, np.ones(len(rows))).collapsed()
    counted = {
        (x, t_x, age): n for x, t_x, age, n in zip(found.repeats, found.between, found.age, found.counts, strict=True)
    }
    assert len(counted) == len(found.counts)
    assert counted == {row: rows.count(row) for row in rows}
