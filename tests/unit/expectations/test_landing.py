"""The landing gate: footers against the contract, loads against their row counts, volumes and freshness."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from expectations import ExpectationsError, validation
from expectations.landing_files import Contract, LandingZone, duckdb_type, normalized_type, rows_by_table
from expectations.limits import FreshnessLimits
from expectations.results import ExpectationResult
from ingestion import read_contract
from tests.unit.expectations.scratch_shop import CONTRACT, LOAD_ID, Shop, landing_file, write_loads


@pytest.fixture(autouse=True)
def no_data_docs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out Data Docs, which take half the time of a gate on small data; test_reports.py reads them."""
    monkeypatch.setattr(validation, "write_data_docs", lambda folder: None)


def failure(shop: Shop, table: str) -> ExpectationResult:
    """The first failure of a landing table."""
    report = shop.run("landing")
    assert not report.success
    return next(result for result in report.failures if result.table_name == f"landing.{table}")


def test_missing_column_names_file_and_column(shop: Shop) -> None:
    shop.relay("orders", "select * exclude (currency) from landed")
    found = failure(shop, "orders")
    assert f"{LOAD_ID}.parquet has the column currency" in found.expectation
    assert found.column_name == "currency"
    assert found.observed_value.startswith("the column is missing")
    assert found.threshold == "currency VARCHAR"
    assert "python -m ingestion" in found.next_step


def test_wrong_type_names_file_column_and_both_types(shop: Shop) -> None:
    shop.relay("order_lines", "select * replace (net_amount::double as net_amount) from landed")
    found = failure(shop, "order_lines")
    assert f"{LOAD_ID}.parquet: type of net_amount" in found.expectation
    assert (found.observed_value, found.threshold) == ("DOUBLE", "DECIMAL(18,2)")
    assert found.sample_rows[0]["file"] == f"order_lines/load_date=2018-01-01/{LOAD_ID}.parquet"


def test_amount_as_text_is_a_wrong_type(shop: Shop) -> None:
    shop.relay("order_lines", "select * replace (net_amount::varchar as net_amount) from landed")
    assert failure(shop, "order_lines").observed_value == "VARCHAR"


def test_file_cut_in_the_middle(shop: Shop) -> None:
    path = landing_file(shop.landing, "order_lines")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = failure(shop, "order_lines")
    assert f"{LOAD_ID}.parquet can be read" in found.expectation
    assert "it may be cut" in found.observed_value


def test_file_without_bytes(shop: Shop) -> None:
    landing_file(shop.landing, "orders").write_bytes(b"")
    assert failure(shop, "orders").observed_value == "the file has no bytes"


@pytest.mark.parametrize("table", ["orders", "order_lines"])
def test_required_table_without_rows(shop: Shop, table: str) -> None:
    shop.relay(table, "select * from landed limit 0")
    results = [result for result in shop.run("landing").failures if result.table_name == f"landing.{table}"]
    assert any(result.observed_value.startswith("empty") for result in results)


def test_half_of_the_orders_gone(shop: Shop) -> None:
    shop.relay("orders", "select * from landed where hash(order_id) % 2 = 0")
    found = failure(shop, "orders")
    assert f"rows of load {LOAD_ID}" in found.expectation
    assert found.threshold.startswith("exactly ")
    assert found.sample_rows[0]["rows_landed"] < found.sample_rows[0]["rows_said"]


def test_half_of_the_orders_gone_from_the_source(shop: Shop) -> None:
    """The load's own row agrees, so only the volumes can tell."""
    shop.relay("orders", "select * from landed where hash(order_id) % 2 = 0")
    recount(shop)
    assert "lines' orders that are in orders" in failure(shop, "order_lines").expectation


def test_lines_of_most_orders_gone_from_the_source(shop: Shop) -> None:
    shop.relay("order_lines", "select * from landed where hash(order_id) % 2 = 0")
    recount(shop)
    assert "share of orders that have lines" in failure(shop, "order_lines").expectation


def test_amounts_in_another_unit(shop: Shop) -> None:
    shop.relay("order_lines", "select * replace ((net_amount * 10000)::decimal(18, 2) as net_amount) from landed")
    found = failure(shop, "order_lines")
    assert "median net amount" in found.expectation
    assert found.sample_rows


def test_negative_discounts(shop: Shop) -> None:
    shop.relay("order_lines", "select * replace ((-retail_discount)::decimal(18, 2) as retail_discount) from landed")
    found = failure(shop, "order_lines")
    assert found.column_name == "retail_discount"
    assert "rows outside, such as -0." in found.observed_value


def test_product_ids_that_do_not_fit(shop: Shop) -> None:
    shop.relay("products", "select * replace ('0' || product_id as product_id) from landed")
    assert "whose product is in products" in failure(shop, "products").expectation


def test_card_numbers_that_do_not_fit(shop: Shop) -> None:
    shop.relay("campaign_recipients", "select * replace ('0' || loyalty_id as loyalty_id) from landed")
    assert "share of cards" in failure(shop, "campaign_recipients").expectation


def test_weeks_without_orders(shop: Shop) -> None:
    gap = "order_id in (select order_id from landed where occurred_at between '2017-05-01' and '2017-06-15')"
    shop.relay("orders", f"select * from landed where not ({gap})")
    recount(shop)
    assert "longest stretch" in failure(shop, "orders").expectation


def test_freshness_is_asked_when_a_limit_is_set(shop: Shop) -> None:
    report = shop.run("landing", gates={"landing": {"max_days_since_last_order": 2}})
    stale = next(result for result in report.failures if "freshness" in result.expectation)
    assert int(stale.observed_value.split()[0].replace(",", "")) > 365
    since = (datetime.now(UTC) - datetime(2017, 12, 1, tzinfo=UTC)).days
    assert shop.run("landing", gates={"landing": {"max_days_since_last_order": since}}).success


def test_a_file_is_held_against_the_contract_of_its_load(shop: Shop) -> None:
    """The good load is of contract 1 and may lack what came later; the same file in a load of contract 2 may not."""
    held = next(result for result in shop.run("landing").results if result.table_name == "landing.orders")
    assert held.observed_value.endswith("1 file of an older contract, without its younger columns")
    ids = "select * replace ('load-0002' as load_id, 'x' || order_id as order_id) from landed"
    shop.land("load-0002", contract="2", orders=ids, order_lines=ids)
    found = [result for result in shop.run("landing").failures if result.table_name == "landing.orders"]
    assert [result.column_name for result in found] == ["user_id", "email"]
    assert "orders/load_date=2018-01-01/load-0002.parquet has the column user_id" in found[0].expectation
    assert found[0].sample_rows[0]["expected"] == "VARCHAR"


def test_a_column_of_the_first_contract_may_not_be_absent_from_any_file(shop: Shop) -> None:
    shop.relay("orders", "select * exclude (channel) from landed")
    assert failure(shop, "orders").column_name == "channel"


def test_a_younger_column_that_is_there_must_have_its_type(shop: Shop) -> None:
    shop.relay("orders", "select *, 7 as user_id from landed")
    found = failure(shop, "orders")
    assert (found.column_name, found.observed_value, found.threshold) == ("user_id", "INTEGER", "VARCHAR")


def test_the_zero_row_file_has_the_columns_of_today(shop: Shop) -> None:
    """Staging takes the columns from it: with one of an older contract, they would be nowhere."""
    empty = shop.landing / "orders" / "load_date=1970-01-01" / "empty.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table old as select * exclude (email) from read_parquet('{empty}', hive_partitioning = 0)")
        con.execute(f"copy old to '{empty}' (format parquet)")
    found = failure(shop, "orders")
    assert found.column_name == "email"
    assert "renews the zero-row files" in found.next_step


@pytest.mark.parametrize("version", ["4", "two", ""])
def test_a_load_of_a_contract_that_is_not_known_is_refused(shop: Shop, version: str) -> None:
    shop.land("load-0002", contract=version, campaigns="from landed limit 0")
    found = failure(shop, "loads")
    assert found.expectation == "load load-0002 was written for a contract that this version reads"
    assert (found.observed_value, found.threshold) == (f"contract {version}", "contract 3 or older")
    assert "upgrade the project" in found.next_step


def test_drift_against_the_load_before_is_a_warning_that_names_the_difference(shop: Shop) -> None:
    rows = "select *, 'x' as cashier, '7' as till from landed limit 0"
    shop.land("load-0002", products=rows, campaigns="from landed limit 0")
    report = shop.run("landing")
    assert report.success
    drift = [result for result in report.warnings if "before it" in result.expectation]
    assert [(result.table_name, result.observed_value) for result in drift] == [
        ("landing.products", "cashier VARCHAR is new; till VARCHAR is new")
    ]
    assert drift[0].threshold == f"those of {LOAD_ID}"

    shop.relay("products", "select *, 7 as till, 1 as shelf from landed")
    drift = [result for result in shop.run("landing").warnings if "before it" in result.expectation]
    assert drift[0].observed_value == "cashier VARCHAR is new; shelf INTEGER is gone; till was INTEGER and is VARCHAR"


def test_without_drift_the_comparison_is_told(shop: Shop) -> None:
    assert not [result for result in shop.run("landing").results if "before them" in result.expectation]
    shop.land("load-0002", products="from landed limit 0", campaigns="from landed limit 0")
    (held,) = [result for result in shop.run("landing").results if "before them" in result.expectation]
    assert (held.success, held.observed_value) == (True, "2 tables compared")


def _stale(shop: Shop, table: str = "orders") -> None:
    """The newest row of a table becomes known in November, while the others go on to the new year."""
    shop.relay(table, "select * replace (timestamp '2017-11-20 05:00:00' as known_at) from landed")


def test_a_source_that_stopped_is_named(shop: Shop) -> None:
    _stale(shop)
    report = shop.run("landing")
    (found,) = [result for result in report.failures if "freshness" in result.expectation]
    assert found.column_name == "orders"
    assert "orders 14, order_lines 14" in found.threshold
    assert found.sample_rows[0]["days_behind"] == 42
    assert report.failures == [found]


@pytest.mark.parametrize("limit", [42, None])
def test_a_shop_sets_its_own_freshness(shop: Shop, limit: int | None) -> None:
    _stale(shop)
    assert shop.run("landing", gates={"landing": {"max_days_behind": {"orders": limit}}}).success
    stricter = shop.run("landing", gates={"landing": {"max_days_behind": {"orders": limit, "products": 300}}})
    assert [result.column_name for result in stricter.failures] == ["products"], "the other defaults stay"


def test_freshness_of_a_table_that_does_not_exist_names_the_nearest(good_shop: Shop) -> None:
    with pytest.raises(ExpectationsError, match=r"max_days_behind\.web_event is unknown; did you mean web_events"):
        good_shop.run("landing", gates={"landing": {"max_days_behind": {"web_event": 1}}})


def test_every_landing_table_has_a_freshness_limit() -> None:
    assert set(FreshnessLimits.model_fields) == set(Contract.read(CONTRACT).tables) - {"loads"}


def test_freshness_does_not_need_statistics_in_the_footers(shop: Shop) -> None:
    path = landing_file(shop.landing, "orders")
    before = LandingZone.read(shop.landing, Contract.read(CONTRACT)).newest_known_at()["orders"]
    parquet.write_table(parquet.read_table(path), path, write_statistics=False)
    zone = LandingZone.read(shop.landing, Contract.read(CONTRACT))
    assert zone.newest_known_at()["orders"] == before == datetime(2018, 1, 1, 5)


@pytest.mark.parametrize(
    ("table", "column", "word", "other"),
    [
        ("web_events", "event_type", "page", "view"),
        ("email_events", "event_type", "sent", "Sent"),
        ("consent_events", "consent_action", "granted", "revoked"),
        ("support_tickets", "status", "open", "in progress"),
    ],
)
def test_rows_with_words_of_their_own_are_told(shop: Shop, table: str, column: str, word: str, other: str) -> None:
    words = {"web_events": "'a' as anonymous_id", "consent_events": "'email' as purpose"}.get(table, "null as nothing")
    for said, is_good in ((word, True), (other, False)):
        _land_events(shop, table, f"'{said}' as {column}, {words}")
        failures = shop.run("landing").failures
        assert (failures == []) is is_good
    assert failures[0].expectation == f"share of rows whose {column} is one of the contract's words"
    assert failures[0].sample_rows[0][column] == other


def test_events_without_a_visitor_are_told(shop: Shop) -> None:
    _land_events(shop, "web_events", "'page' as event_type")
    assert [result.expectation for result in shop.run("landing").failures] == ["share of events that name a visitor"]


def _land_events(shop: Shop, table: str, columns: str) -> None:
    """Land one row of an optional table: what is not among the `columns` is null."""
    contract = read_contract()
    with duckdb.connect() as con:
        con.execute(
            f"create table rows as from ({contract.empty_select(table)}) union all by name "
            f"select {columns}, timestamp '2018-01-01 05:00:00' as known_at, 'load-0002' as load_id"
        )
        con.execute(f"create table {table} as select {contract.select_list(table)} from rows")
        path = landing_file(shop.landing, table, "load-0002")
        path.parent.mkdir(parents=True, exist_ok=True)
        con.execute(f"copy {table} to '{path}' (format parquet)")
        write_loads(con, shop.landing, (table,), "load-0002", sequence=2, contract="2")


def test_extra_column_is_a_warning(shop: Shop) -> None:
    shop.relay("orders", "select *, 'x' as cashier from landed")
    report = shop.run("landing")
    assert report.success
    assert [result.column_name for result in report.warnings] == ["cashier"]


def test_files_of_an_invisible_load_are_not_counted(shop: Shop) -> None:
    path = landing_file(shop.landing, "orders")
    path.with_name("load-0002.parquet").write_bytes(path.read_bytes())
    report = shop.run("landing")
    assert report.success
    assert report.warnings[0].observed_value == "1 file of no visible load, not read"
    assert LandingZone.read(shop.landing, Contract.read(CONTRACT)).visible_rows("orders") == rows_of(path)


def test_numbered_files_of_a_load_count(shop: Shop) -> None:
    path = landing_file(shop.landing, "orders")
    rows = rows_of(path)
    with duckdb.connect() as con:
        con.execute(f"copy (select * from '{path}' limit 10) to '{path.with_name(f'{LOAD_ID}-001.parquet')}'")
        con.execute(f"copy (select * from '{path}' offset 10) to '{path.with_name(f'{LOAD_ID}-002.parquet')}'")
    path.unlink()
    assert shop.run("landing").success
    assert LandingZone.read(shop.landing, Contract.read(CONTRACT)).visible_rows("orders") == rows


def test_no_load_is_visible(shop: Shop) -> None:
    landing_file(shop.landing, "loads").unlink()
    found = failure(shop, "loads")
    assert "a load is visible" in found.expectation


def test_empty_landing_zone(tmp_path: Path) -> None:
    report = Shop(tmp_path).run("landing")
    assert not report.success
    assert {"landing.orders", "landing.loads"} <= {result.table_name for result in report.failures}


def test_warehouse_is_not_needed(shop: Shop) -> None:
    shop.warehouse.unlink()
    assert shop.run("landing").success


def test_staging_gate_without_landed_files_is_a_result(shop: Shop) -> None:
    landing_file(shop.landing, "orders").unlink()
    (shop.landing / "orders" / "load_date=1970-01-01" / "empty.parquet").unlink()
    report = shop.run("staging")
    assert report.failures[0].table_name == "landing.orders"


def test_contract_says_what_is_required() -> None:
    contract = Contract.read(CONTRACT)
    assert {"orders", "order_lines"} <= contract.required
    assert contract.tables["order_lines"]["net_amount"] == "decimal(18,2)"


@pytest.mark.parametrize(
    ("arrow", "name"),
    [
        (pa.string(), "VARCHAR"),
        (pa.dictionary(pa.int32(), pa.string()), "VARCHAR"),
        (pa.decimal128(18, 2), "DECIMAL(18,2)"),
        (pa.timestamp("us"), "TIMESTAMP"),
        (pa.timestamp("us", "UTC"), "TIMESTAMP WITH TIME ZONE"),
        (pa.int32(), "INTEGER"),
        (pa.date32(), "DATE"),
        (pa.null(), "NULL"),
    ],
)
def test_names_of_types(arrow: pa.DataType, name: str) -> None:
    assert duckdb_type(arrow) == name


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ("decimal( 18, 2 )", "DECIMAL(18,2)"),
        ("numeric(18,2)", "DECIMAL(18,2)"),
        ("json", "VARCHAR"),
        ("int", "INTEGER"),
    ],
)
def test_types_are_written_one_way(declared: str, name: str) -> None:
    assert normalized_type(declared) == name


def test_rows_of_a_load_are_read_in_both_forms() -> None:
    assert rows_by_table('{"orders": 3, "products": {"rows": 4, "files": 1}}') == {"orders": 3, "products": 4}
    assert rows_by_table(None) == {}


def recount(shop: Shop) -> None:
    """Write the row of `loads` again, with the rows that are there now."""
    tables = tuple(
        table
        for table in Contract.read(CONTRACT).tables
        if table != "loads" and landing_file(shop.landing, table).exists()
    )
    with duckdb.connect() as con:
        for table in tables:
            con.execute(f"create view {table} as select * from '{landing_file(shop.landing, table)}'")
        write_loads(con, shop.landing, tables)


def rows_of(path: Path) -> int:
    with duckdb.connect() as con:
        (count,) = con.execute(f"select count(*) from '{path}'").fetchall()[0]
        return int(count)
