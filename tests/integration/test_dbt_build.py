"""`dbt build` alone, after landing: on a fresh warehouse and again on a full one; no feature sees the future."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from ingestion import LandingZone
from orchestration.warehouse import reading
from shops import ShopFolders
from tests.conftest import run_command
from tests.integration.dbt_here import dbt


def _from_the_shell(folders: ShopFolders, *arguments: str) -> None:
    done = run_command(
        folders.data_root, "-m", "dbt.cli.main", *arguments, "--target-path", str(folders.data / "target")
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "WARN=0 ERROR=0 SKIP=0" in done.stdout


@pytest.mark.slow
def test_a_fresh_warehouse_and_again_a_full_one(fresh_shop: ShopFolders) -> None:
    _from_the_shell(fresh_shop, "build")
    with reading(fresh_shop.warehouse) as warehouse:
        orders = warehouse.execute("select count(*), sum(order_total) from marts.fct_orders").fetchone()
        assert orders is not None
        assert orders[0] > 10_000
        assert warehouse.execute("select count(*) from marts.fct_scores").fetchone() == (0,)
    _from_the_shell(fresh_shop, "build")
    with reading(fresh_shop.warehouse) as warehouse:
        again = warehouse.execute("select count(*), sum(order_total) from marts.fct_orders").fetchone()
    assert again == orders


@pytest.mark.slow
def test_absurd_rows_from_the_future_change_no_earlier_feature(shop: ShopFolders) -> None:
    """A load with one enormous order a customer, on the last day: features as of any earlier date stay as they are."""
    tables = ("feat_customer_rfm", "feat_customer_basket", "feat_customer_discount", "feat_customer_campaign")
    last_day = date(2018, 1, 1)
    before = _features(shop, tables, last_day)
    with duckdb.connect() as connection:
        for table in ("orders", "order_lines"):
            connection.execute(f"create view {table} as from read_parquet('{shop.landing / table}/*2018*/*.parquet')")
        orders = """
            select
                'future-' || loyalty_id as order_id, loyalty_id, any_value(store_id) as store_id, 'main' as brand,
                'store' as channel, 'completed' as status, 'USD' as currency,
                'America/New_York' as business_timezone, timestamp '2018-01-01 05:00:00' as occurred_at,
                timestamp '2018-01-01 05:00:00' as known_at
            from orders group by loyalty_id
        """
        lines = f"""
            select
                order_id, 1 as line_number, (select min(product_id) from order_lines) as product_id,
                'sale' as line_type, 1000 as quantity, 99999 as gross_amount, 0 as retail_discount,
                0 as coupon_discount, 0 as coupon_match_discount, null as tax_amount, 99999 as net_amount,
                null as unit_cost, null as original_order_id, occurred_at, known_at
            from ({orders})
        """
        LandingZone(shop.landing).land(
            connection, load_id="future", source="test", load_date=last_day, known_at_is_assumed=False,
            tables={"orders": orders, "order_lines": lines},
        )  # fmt: skip

    dbt(shop, "build", "-s", "tag:staging", "tag:identity", "tag:features")

    after = _features(shop, tables, last_day)
    assert after == before
    with reading(shop.warehouse) as warehouse:
        # The rows did arrive: as of the day after, they count.
        seen = warehouse.execute(
            "select max(spend_28d) from features.feat_customer_rfm where as_of_date > ?", [last_day]
        ).fetchone()
    assert seen is not None
    assert seen[0] > 99_998


def _features(folders: ShopFolders, tables: tuple[str, ...], until: date) -> dict[str, list[tuple[object, ...]]]:
    """The features at campaign starts: dates that do not move when the last landed day does."""
    dates = "select as_of_date from features.int_as_of_dates where is_campaign_start and as_of_date <= ?"
    with reading(folders.warehouse) as warehouse:
        return {
            table: warehouse.execute(
                f"from features.{table} where as_of_date in ({dates}) order by customer_id, as_of_date", [until]
            ).fetchall()
            for table in tables
        }


def test_a_removed_model_leaves_no_table_behind(shop: ShopFolders) -> None:
    with duckdb.connect(str(shop.warehouse)) as connection:
        connection.execute("create table segments.seg_of_last_year as select 'c' as customer_id")
        connection.execute("create view marts.rpt_of_last_year as select 1 as one")
    dbt(shop, "run", "-s", "dim_dates")
    with reading(shop.warehouse) as warehouse:
        left = warehouse.execute("select count(*) from information_schema.tables where table_name like '%of_last_year'")
        assert left.fetchone() == (0,)


def test_orders_without_a_card_are_in_the_sales(shop: ShopFolders) -> None:
    """The contract allows orders that name nobody: they belong to no customer, and to the totals."""
    (file,) = (shop.landing / "orders").glob("load_date=2018*/*.parquet")
    changed = file.with_suffix(".changed")
    duckdb.execute(
        f"copy (select * replace (case when hash(order_id) % 10 = 0 then null else loyalty_id end as loyalty_id) "
        f"from read_parquet('{file}')) to '{changed}' (format parquet)"
    )
    changed.rename(file)
    with reading(shop.warehouse) as warehouse:
        before = warehouse.execute("select count(*), sum(order_total) from marts.fct_orders").fetchone()
    dbt(shop, "build", "-s", "tag:staging", "tag:identity", "tag:features", "tag:marts")
    with reading(shop.warehouse) as warehouse:
        assert warehouse.execute("select count(*), sum(order_total) from marts.fct_orders").fetchone() == before
        nobody = warehouse.execute("select count(*) from marts.fct_orders where customer_id is null").fetchone()
    assert nobody is not None
    assert nobody[0] > 500


def test_records_that_land_again_keep_their_customer(shop: ShopFolders) -> None:
    """A second load brings all members and some orders once more: nobody gets another id."""
    index = "select source_system, source_record_id, customer_id from identity.master_customer_index order by all"
    with reading(shop.warehouse) as warehouse:
        before = warehouse.execute(index).fetchall()
    with duckdb.connect() as connection:
        tables = {
            table: f"select * exclude (load_id) replace (known_at + interval 400 day as known_at) "
            f"from read_parquet('{shop.landing / table}/load_date=2018*/*.parquet', hive_partitioning = false) "
            "where hash(loyalty_id) % 2 = 0"
            for table in ("loyalty_members", "orders", "campaign_recipients")
        }
        LandingZone(shop.landing).land(
            connection, load_id="again", source="test", load_date=date(2018, 2, 1), known_at_is_assumed=False,
            tables=tables,
        )  # fmt: skip
    dbt(shop, "run", "-s", "tag:staging", "tag:identity")
    with reading(shop.warehouse) as warehouse:
        assert warehouse.execute(index).fetchall() == before
        newest = warehouse.execute(
            "select count(*) from staging.stg_loyalty__members where load_id = 'again'"
        ).fetchone()
    assert newest is not None
    assert newest[0] > 50, "the second load did not arrive, so this test would prove nothing"


def test_a_good_row_stands_when_its_newer_version_cannot(shop: ShopFolders) -> None:
    with reading(shop.warehouse) as warehouse:
        before = warehouse.execute("select order_id from staging.stg_shop__orders order by 1").fetchall()
    with duckdb.connect() as connection:
        orders = (
            "select * exclude (load_id) replace (known_at + interval 400 day as known_at, null as currency) "
            f"from read_parquet('{shop.landing / 'orders'}/load_date=2018*/*.parquet', hive_partitioning = false) "
            "where hash(order_id) % 100 = 0"
        )
        LandingZone(shop.landing).land(
            connection, load_id="broken", source="test", load_date=date(2018, 2, 1), known_at_is_assumed=False,
            tables={"orders": orders},
        )  # fmt: skip
    dbt(shop, "run", "-s", "tag:staging")
    with reading(shop.warehouse) as warehouse:
        assert warehouse.execute("select order_id from staging.stg_shop__orders order by 1").fetchall() == before
        reasons = warehouse.execute(
            "select distinct reason from staging.quarantine where landing_table = 'orders'"
        ).fetchall()
    assert reasons == [("currency is missing",)]


def test_a_model_that_fails_leaves_its_table_and_replaces_it_once_it_works(shop: ShopFolders) -> None:
    def campaigns() -> tuple[object, ...]:
        with reading(shop.warehouse) as warehouse:
            there = warehouse.execute("select count(*), max(campaign_id) from marts.dim_campaigns").fetchone()
            beside = warehouse.execute(
                "select count(*) from duckdb_tables() where table_name like '%dbt_tmp'"
            ).fetchone()
            described = warehouse.execute(
                "select count(*) > 3 and count(*) = count(comment) from duckdb_columns() "
                "where schema_name = 'marts' and table_name = 'dim_campaigns'"
            ).fetchone()
        assert there
        return (*there, beside, described)

    staged = "staging.stg_campaigns__campaigns"
    before = campaigns()
    assert before[2:] == ((0,), (True,))
    with duckdb.connect(str(shop.warehouse)) as connection:
        connection.execute(f"create table main.as_it_was as from {staged}")
        connection.execute(
            f"create or replace table {staged} as select * replace (null::varchar as campaign_id) from {staged}"
        )
    with pytest.raises(AssertionError, match="NOT NULL constraint failed"):
        dbt(shop, "run", "-s", "dim_campaigns")
    assert campaigns() == before
    with duckdb.connect(str(shop.warehouse)) as connection:
        connection.execute(f"create or replace table {staged} as from main.as_it_was limit 3")
    dbt(shop, "run", "-s", "dim_campaigns")
    after = campaigns()
    assert after[0] == 3
    assert after[2:] == before[2:]
