"""What a backtest reads: windows side by side, outcomes from the date on, the placebo before all that is matched on."""

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from orchestration import backtest_rows

DAY = date(2017, 6, 1)
NOW = date(2017, 7, 1)


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(
            "create schema features; "
            "create table features.int_as_of_dates (as_of_date date, is_current boolean); "
            "create table features.int_activity__memberships "
            "(record_hash bigint, customer_id varchar, known_from date, known_until date); "
            "create table features.int_activity__purchase_days (record_hash bigint, day date, counts_from date, "
            "counts_until date, order_count integer, net_amount decimal(18, 2))"
        )
        connection.execute("insert into features.int_as_of_dates values (?, true)", [NOW])
        connection.execute("insert into features.int_activity__memberships values (1, 'ann', null, null)")
        yield connection


def _buy(
    connection: duckdb.DuckDBPyConnection, day: date, amount: int, until: date | None = None, orders: int = 1
) -> None:
    connection.execute(
        "insert into features.int_activity__purchase_days values (1, ?, ?, ?, ?, ?)", [day, day, until, orders, amount]
    )


def _before(days: int) -> date:
    return DAY - timedelta(days=days)


def test_windows_stand_side_by_side(connection: duckdb.DuckDBPyConnection) -> None:
    for days, amount in ((0, 1), (1, 2), (28, 4), (29, 8), (56, 16), (57, 32), (84, 64), (85, 128)):
        _buy(connection, _before(days), amount)
    (row,) = backtest_rows.population(connection, [DAY]).to_dict("records")
    assert [row[f"purchase_days_{name}"] for name in ("0_28", "28_56", "56_84")] == [2, 2, 2]
    assert [row[f"spend_{name}"] for name in ("0_28", "28_56", "56_84", "0_84")] == [6, 24, 96, 126]
    assert (row["days_since_last_order"], row["customer_age_days"]) == (1, 85)


def test_outcomes_begin_with_the_date_and_the_placebo_ends_where_matching_begins(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    _buy(connection, _before(200), 1)
    for days, amount in ((99, 2), (98, 4), (85, 8), (84, 16), (1, 32), (0, 64), (-13, 128), (-14, 256)):
        _buy(connection, _before(days), amount)
    assert backtest_rows.outcomes(connection, [DAY], 14)["spend"].tolist() == [64 + 128]
    assert backtest_rows.placebo(connection, [DAY], 14)["spend"].tolist() == [4 + 8]


def test_who_was_no_customer_by_then_has_no_placebo(connection: duckdb.DuckDBPyConnection) -> None:
    _buy(connection, _before(98), 1)
    assert backtest_rows.placebo(connection, [DAY], 14).empty
    assert backtest_rows.outcomes(connection, [DAY], 14)["has_purchased"].tolist() == [0]


def test_windows_that_have_not_ended_have_no_rows(connection: duckdb.DuckDBPyConnection) -> None:
    _buy(connection, _before(10), 1)
    later = NOW - timedelta(days=13)
    found = backtest_rows.outcomes(connection, [DAY, later], 14)
    assert found["as_of_date"].dt.date.tolist() == [DAY]


def test_what_came_back_counts_until_then(connection: duckdb.DuckDBPyConnection) -> None:
    _buy(connection, _before(40), 1)
    _buy(connection, _before(5), 10, until=_before(-3))
    _buy(connection, _before(-2), 20, until=_before(-9))
    row = backtest_rows.population(connection, [DAY]).iloc[0]
    assert (row["purchase_days_0_28"], row["spend_0_28"]) == (1, 10)
    assert backtest_rows.outcomes(connection, [DAY], 14)["has_purchased"].tolist() == [0]
