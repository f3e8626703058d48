"""Staging through dbt itself: a zone of an older contract, and a load with all that happens to a shop's orders."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from expectations import run_gate
from expectations.landing_files import Contract
from ingestion import LandingZone, read_contract
from ingestion.contract import CONTRACT_FILE
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.conftest import run_command
from tests.integration.dbt_here import dbt


def _rewrite(file: Path, query: str) -> None:
    changed = file.with_suffix(".changed")
    duckdb.execute(f"copy ({query.format(file=file)}) to '{changed}' (format parquet)")
    changed.rename(file)


def _as_of_contract_1(landing: Path) -> None:
    """Make of the zone what the project wrote before contract 2: without its tables and without its columns."""
    contract = Contract.read(CONTRACT_FILE)
    for table, columns in contract.tables.items():
        younger = [name for name in columns if name not in contract.columns_of(table, 1)]
        if table in ("exchange_rates", "crm_contacts") or table.endswith(("_events", "_tickets", "_answers")):
            shutil.rmtree(landing / table)
        elif table == "loads":
            for file in (landing / table).glob("*/synthetic-overlay*.parquet"):
                file.unlink()
            for file in (landing / table).glob("*/*.parquet"):
                _rewrite(file, "select * exclude (is_synthetic) replace ('1' as contract_version) from '{file}'")
        elif younger:
            for file in (landing / table).glob("*/*.parquet"):
                _rewrite(file, f"select * exclude ({', '.join(younger)}) from '{{file}}'")


@pytest.mark.slow
def test_a_zone_of_the_first_contract_still_runs(fresh_shop: ShopFolders) -> None:
    _as_of_contract_1(fresh_shop.landing)
    again = run_command(fresh_shop.data_root, "-m", "ingestion", "land")
    assert "was already there" in again.stdout, "the load itself stays as it was written"
    landed = duckdb.execute(f"describe select * from '{fresh_shop.landing}/orders/load_date=2018-01-01/*.parquet'")
    assert "user_id" not in [name for name, *_ in landed.fetchall()]

    report = run_gate(
        "landing",
        fresh_shop.warehouse,
        landing=fresh_shop.landing,
        settings={},
        reports=fresh_shop.reports,
        contract=CONTRACT_FILE,
        data_docs=False,
    )
    assert report.failures == []
    dbt(fresh_shop, "build", "-s", "tag:staging")
    with reading(fresh_shop.warehouse) as warehouse:
        orders = warehouse.execute("select count(*), count(user_id) from staging.stg_shop__orders").fetchone()
    assert orders is not None
    assert orders[0] > 10_000
    assert orders[1] == 0


@pytest.mark.slow
def test_returns_currencies_and_missing_orders_go_through_the_whole_project(fresh_shop: ShopFolders) -> None:
    """Every dbt test of the project holds when things come back; synthetic rows are labelled, wrong ones reported."""
    folder = fresh_shop.landing
    with duckdb.connect() as connection:
        for table in ("orders", "order_lines"):
            connection.execute(f"create view {table} as from read_parquet('{folder / table}/*2018*/*.parquet')")
        known = "timestamp '2017-12-20 12:00:00' as occurred_at, timestamp '2017-12-20 12:00:00' as known_at"
        # Of every twentieth line one unit comes back, on a document of its own; of every fiftieth order everything.
        returned = (
            "select *, row_number() over (partition by order_id order by line_number) as return_number "
            "from order_lines where (hash(order_id, line_number) % 20 = 0 or hash(order_id) % 50 = 0) and quantity > 0 "
            "and occurred_at < '2017-12-20'"
        )
        share = "case when hash(order_id) % 50 = 0 then 1 else 1 / quantity end"
        orders = f"""
            select distinct 'back-' || order_id as order_id, loyalty_id, 'completed' as status, 'USD' as currency,
                'America/New_York' as business_timezone, {known}
            from ({returned}) join (select order_id, loyalty_id from orders) using (order_id)
            union all by name
            select 'abroad-' || number as order_id, loyalty_id, 'completed' as status,
                case when number % 2 = 0 then 'EUR' else 'SEK' end as currency,
                'Europe/Stockholm' as business_timezone, {known}
            from (select loyalty_id, row_number() over (order by loyalty_id) as number from orders group by loyalty_id)
            union all by name
            select order_id, loyalty_id, store_id, 'cancelled' as status, currency, business_timezone, occurred_at,
                timestamp '2017-12-21 12:00:00' as known_at
            from orders where hash(order_id) % 70 = 1 and occurred_at < '2017-12-20'
        """
        lines = f"""
            select 'back-' || order_id as order_id, return_number::integer as line_number, product_id,
                'return' as line_type, -round(quantity * {share}, 3) as quantity,
                -round(net_amount * {share}, 2) as net_amount,
                case when hash(order_id) % 2 = 0 then order_id end as original_order_id,
                case when hash(order_id) % 4 = 0 then line_number end as original_line_number, {known}
            from ({returned})
            union all by name
            select order_id, 1 as line_number, 'abroad' as product_id, 'sale' as line_type, 1 as quantity,
                100 as net_amount, {known}
            from ({orders}) where order_id like 'abroad-%'
            union all by name
            select 'unknown-' || number as order_id, 1 as line_number, 'abroad' as product_id, 'sale' as line_type,
                1 as quantity, 5 as net_amount, {known}
            from range(40) as numbers(number)
        """
        rates = (
            f"select 'USD' as currency, 'EUR' as quote_currency, date '2017-12-01' as rate_date, 0.8 as rate, {known}"
        )
        LandingZone(folder).land(
            connection, load_id="second", source="web shop", load_date=date(2018, 1, 2), known_at_is_assumed=False,
            is_synthetic=True, tables={"orders": orders, "order_lines": lines, "exchange_rates": rates},
        )  # fmt: skip

    dbt(fresh_shop, "build")

    with reading(fresh_shop.warehouse) as warehouse:

        def one(query: str) -> tuple[object, ...]:
            found = warehouse.execute(query).fetchone()
            assert found is not None
            return found

        returns = one(
            "select count(*) filter (is_matched and original_is_inferred), "
            "count(*) filter (is_matched and not original_is_inferred), count(*) filter (not is_matched) "
            "from staging.stg_shop__returns"
        )
        assert all(isinstance(count, int) and count > 50 for count in returns[:2])
        assert one(
            "select count(distinct transaction_currency), count(distinct currency), "
            "bool_and(transaction_currency = 'USD' or order_total = 125) from marts.fct_orders"
        ) == (2, 1, True)
        assert one("select count(*) from marts.fct_orders where is_inferred") == (40,)
        purchases = one("select count(*) filter (is_purchase), count(*) filter (not is_purchase) from marts.fct_orders")
        assert all(isinstance(count, int) and count > 300 for count in purchases)
        assert one("select sum(order_count), sum(total_spend) from marts.dim_customers")[0] == one(
            "select count(*) from marts.fct_orders where is_purchase and customer_id is not null"
        )[0]  # fmt: skip
        wrong = warehouse.execute(
            "select landing_table, load_source, load_date, reason, row_count, row_share = row_count / landed_row_count "
            "from marts.rpt_quarantine where not is_routine"
        ).fetchall()
        no_rate = "no exchange rate from SEK to USD on or before its day: land one in exchange_rates"
        assert wrong == [("order_lines", "web shop", date(2018, 1, 2), no_rate, 100, True)]
        assert one(
            "select row_count, landed_row_count from marts.rpt_quarantine "
            "where landing_table = 'orders' and load_source = 'completejourney'"
        ) == one(
            "select count(*) filter (order_status = 'cancelled'), "
            "(select json_extract_string(rows_by_table, '$.orders')::bigint from staging.stg_landing__loads "
            "where load_source = 'completejourney') from staging.stg_shop__orders"
        )
        labelled = warehouse.execute(
            "select table_name from duckdb_tables() where schema_name = 'staging' and comment like 'Synthetic data: %'"
        ).fetchall()
        comments = one("select count(*) from duckdb_tables() where schema_name = 'staging' and comment is not null")
    behind = {
        "quarantine",
        "stg_shop__exchange_rates",
        "stg_shop__order_lines",
        "stg_shop__orders",
        "stg_shop__returns",
    }
    # The rest of those that are labelled stand on the demo shop's overlay.
    names = {table for (table,) in labelled}
    assert behind <= names
    assert not names & {"stg_loyalty__members", "stg_shop__products", "stg_campaigns__campaigns", "stg_landing__loads"}
    assert comments == (len(names),), "tables without synthetic rows have no comment"
    assert read_contract().version == "3"
