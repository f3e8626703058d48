"""Databases look like folders of files: the same mapping, the same rows; SQLite and PostgreSQL for real."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import sqlalchemy

from ingestion.mapping import MappingError
from ingestion.mapping.sources import DatabaseSource, FolderSource
from tests.postgres_server import PASSWORD, running_postgres
from tests.unit.ingestion.mapping.conftest import OwnShop

URL_VARIABLE = "BAKERY_DATABASE_URL"
MAPPING = """
source: {database: "${BAKERY_DATABASE_URL}"}
zone: Europe/Berlin
currency: EUR
tables:
  orders:
    from: (orders)
    cursor: changed_at
    columns: {order_id: id, loyalty_id: Customer No, occurred_at: sold_at}
  order_lines:
    from: order_items
    columns: {order_id: order_id, product_id: sku, net_amount: "qty::decimal(18,3) * price::decimal(18,4)"}
"""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server of our own."""
    with running_postgres() as address:
        yield address


def _fill(url: str, schema: str = "") -> sqlalchemy.Engine:
    engine = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    is_sqlite = engine.dialect.name == "sqlite"
    orders = f"{schema}orders"
    with engine.begin() as connection:
        for statement in (
            *([] if is_sqlite else ["create schema if not exists sales"]),
            f'create table {orders} (id integer primary key, "Customer No" varchar(10), sold_at timestamp, '
            f"changed_at timestamp, total numeric(10, 2), anything {'blob' if is_sqlite else 'jsonb'})",
            "create table order_items (order_id integer, sku text, qty integer, price numeric)",
            f'insert into {orders} (id, "Customer No", sold_at, changed_at, total) values '
            "(1, '007', '2024-07-01 00:30:00', '2024-07-01 00:30:00', 8.40), "
            "(2, null, '2024-07-02 10:00:00', '2024-07-02 10:00:00', 18.50)",
            "insert into order_items values (1, 'bread', 2, 4.2), (2, 'cake', 1, 18.505000000001)",
        ):
            connection.exec_driver_sql(statement)
    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def database(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """A filled database: its address, and how its table of orders is called."""
    if request.param == "sqlite":
        address, orders = f"sqlite:///{tmp_path / 'shop.db'}", "orders"
        _fill(address)
        monkeypatch.setenv(URL_VARIABLE, address)
        yield address, orders
        return
    address, orders = request.getfixturevalue("postgres"), "sales.orders"
    engine = _fill(address, "sales.")
    monkeypatch.setenv(URL_VARIABLE, address)
    yield address, orders
    with engine.begin() as connection:
        connection.exec_driver_sql("drop schema sales cascade; drop table order_items")
    engine.dispose()


def test_a_database_lands_and_lands_what_is_new(database: tuple[str, str], own_shop: OwnShop) -> None:
    address, orders = database
    own_shop.write(MAPPING.replace("(orders)", orders))
    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 2, "order_lines": 2}
    # Half past midnight in Berlin, which the source's clock shows.
    assert own_shop.rows("orders", "order_id, loyalty_id, occurred_at") == [
        ("1", "007", datetime(2024, 6, 30, 22, 30)),
        ("2", None, datetime(2024, 7, 2, 8, 0)),
    ]
    assert own_shop.rows("order_lines", "order_id, line_number, net_amount") == [
        ("1", 1, Decimal("8.40")),
        ("2", 1, Decimal("18.51")),  # more digits than Parquet's decimals hold, rounded where money is made of them
    ]
    assert [each.already_landed for each in own_shop.land()] == [True]

    engine = sqlalchemy.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"insert into {orders} (id, sold_at, changed_at) values (3, '2024-07-03', '2024-07-03')"
        )
        # Behind the cursor, so not seen.
        connection.exec_driver_sql(f"update {orders} set \"Customer No\" = '008' where id = 1")
        connection.exec_driver_sql("insert into order_items values (3, 'tea', 1, 3)")
    engine.dispose()
    second = own_shop.land()[1]
    assert dict(second.rows) == {"orders": 1, "order_lines": 1}
    kept = [file for file in own_shop.folders.data.rglob("*") if file.is_file()]
    assert kept
    assert not [file for file in kept if PASSWORD.encode() in file.read_bytes()]


def test_lines_keep_their_number_in_whatever_order_a_database_gives_them(
    database: tuple[str, str], own_shop: OwnShop
) -> None:
    address, orders = database
    engine = sqlalchemy.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    own_shop.write(MAPPING.replace("(orders)", orders))
    with engine.begin() as connection:
        connection.exec_driver_sql("insert into order_items values (1, 'tea', 1, 3), (1, 'cocoa', 1, 5)")
    own_shop.land()
    with engine.begin() as connection:
        connection.exec_driver_sql("delete from order_items")
        connection.exec_driver_sql(
            "insert into order_items values (1, 'cocoa', 1, 5), (2, 'cake', 1, 18.505000000001), (1, 'tea', 1, 3), "
            "(1, 'bread', 2, 4.2)"
        )
    engine.dispose()
    assert [load.already_landed for load in own_shop.land()] == [True]


@pytest.mark.parametrize("cursor", ["id", "sold_at", "total"])
def test_a_cursor_can_be_mapped_as_well(cursor: str, database: tuple[str, str], own_shop: OwnShop) -> None:
    """dlt compares it in the database's own type; for the mapping it is what the other columns are."""
    _, orders = database
    own_shop.write(
        f"""
        source: {{database: "${{BAKERY_DATABASE_URL}}"}}
        zone: Europe/Berlin
        currency: EUR
        tables:
          orders:
            from: {orders}
            cursor: {cursor}
            columns: {{order_id: id, occurred_at: sold_at}}
          order_lines:
            from: {orders}
            cursor: {cursor}
            columns: {{order_id: id, line_number: id, product_id: "'x' || id", net_amount: total, occurred_at: sold_at}}
        """
    )
    (load,) = own_shop.land()
    assert load.notes == ()
    assert own_shop.rows("order_lines", "order_id, line_number, product_id, net_amount, occurred_at") == [
        ("1", 1, "x1", Decimal("8.40"), datetime(2024, 6, 30, 22, 30)),
        ("2", 2, "x2", Decimal("18.50"), datetime(2024, 7, 2, 8)),
    ]
    assert [each.already_landed for each in own_shop.land()] == [True]


def test_lines_in_parts_need_numbers(database: tuple[str, str], own_shop: OwnShop) -> None:
    own_shop.write(
        MAPPING.replace("(orders)", database[1]).replace("from: order_items", "from: order_items\n    cursor: qty")
    )
    with pytest.raises(MappingError, match="lines that come in parts need a number of their own"):
        own_shop.land()


def test_init_describes_a_database(database: tuple[str, str], own_shop: OwnShop) -> None:
    from ingestion.mapping import read_mapping
    from ingestion.mapping.commands import init

    address, orders = database
    (own_shop.own / "mapping.yml").unlink()
    said = init(f"${{{URL_VARIABLE}}}", "bakery", "Europe/Berlin", "EUR")
    mapping = read_mapping(own_shop.own / "mapping.yml")
    assert mapping.tables["orders"].from_ == orders
    assert mapping.tables["order_lines"].from_ == "order_items"
    assert mapping.source.database == f"${{{URL_VARIABLE}}}"
    assert not any(address in line for line in [*said, (own_shop.own / "mapping.yml").read_text()])
    (load,) = own_shop.land()
    assert dict(load.rows) == {"orders": 2, "order_lines": 2}


def test_types_without_a_place_in_parquet_arrive_as_text(postgres: str) -> None:
    engine = sqlalchemy.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create type mood as enum ('good'); create table odd (n numeric, m money, j jsonb, u uuid, a int[], "
            "e mood, i interval, b bytea, t timestamptz, d date, ok boolean, f real, none text); "
            "insert into odd values "
            "(1.123456789012345678901, 5, '{\"a\": 1}', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{1,2}', 'good', "
            "'1 day', 'x', '2024-01-01 10:00+02', '2024-01-01', true, 1.5, null)"
        )
    source = DatabaseSource(postgres, "the test's")
    rows = source.sample(source.table("odd"), 10)
    query = "select n, j, u, a, e, i, t::varchar, d, ok, f, none from rows"
    assert duckdb.from_arrow(rows).query("rows", query).fetchall() == [
        ("1.123456789012345678901", '{"a": 1}', "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{1,2}", "good", "1 day",
         "2024-01-01 08:00:00+00", datetime(2024, 1, 1).date(), True, 1.5, None)
    ]  # fmt: skip
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table odd; drop type mood")
    engine.dispose()


def test_sqlite_holds_what_it_likes_in_a_column(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.executescript(
            "create table orders (id integer, at date, anything);"
            "insert into orders values ('x1', 'yesterday', 1), (2, '2024-01-01', 'a');"
        )
    source = DatabaseSource(f"sqlite:///{tmp_path / 'shop.db'}", "the test's")
    rows = source.sample(source.table("orders"), 10).drop_columns(["_file", "_row"]).to_pylist()
    assert rows == [{"id": "x1", "at": "yesterday", "anything": "1"}, {"id": "2", "at": "2024-01-01", "anything": "a"}]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite:////nowhere/shop.db", "no file /nowhere/shop.db|unable to open"),
        ("postgresql://me:hush@127.0.0.1:1/shop", "cannot be opened"),
        ("oracel://me:hush@db/shop", "Can't load plugin"),
        ("mssql+pyodbc://me:hush@db/shop", "needs the Python package 'pyodbc'"),
        ("no address", "cannot be opened"),
    ],
)
def test_a_database_that_cannot_be_opened_is_said_without_its_password(address: str, said: str) -> None:
    with pytest.raises(MappingError, match=said) as caught:
        DatabaseSource(address, "${SHOP_DATABASE_URL}")
    assert "hush" not in str(caught.value)
    assert "${SHOP_DATABASE_URL}" in str(caught.value)


def test_an_unknown_table_is_answered_with_the_nearest(database: tuple[str, str]) -> None:
    address, orders = database
    source = DatabaseSource(address, "the test's")
    with pytest.raises(MappingError, match=f"did you mean '{orders}'"):
        source.table(orders[:-1])


def test_files_that_disagree_about_a_type_meet_as_text(tmp_path: Path) -> None:
    duckdb.execute(f"copy (select 1 as id, 2 as n) to '{tmp_path}/a.parquet'")
    duckdb.execute(f"copy (select 'x' as id, true as extra, {{'k': 1}} as nested) to '{tmp_path}/b.parquet'")
    source = FolderSource(tmp_path)
    table = source.table("*.parquet")
    assert table.columns == {"id": "VARCHAR", "n": "INTEGER", "extra": "BOOLEAN", "nested": "VARCHAR"}
    rows = source.sample(table, 10).to_pylist()
    assert [(row["id"], row["n"], row["_file"], row["_row"]) for row in rows] == [
        ("1", 2, "a.parquet", 1),
        ("x", None, "b.parquet", 1),
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_names_that_differ_in_case_are_one_column(kind: str, tmp_path: Path) -> None:
    for file, price, amount in (("a", "Price", 1), ("b", "price", 2)):
        duckdb.execute(f"copy (select {amount} as {price}) to '{tmp_path}/{file}.{kind}'")
    source = FolderSource(tmp_path)
    table = source.table(f"*.{kind}")
    assert list(table.columns) == ["Price"]
    assert [int(row["Price"]) for row in source.sample(table, 10).to_pylist()] == [1, 2]


def test_a_database_whose_columns_differ_in_case_only_is_refused(postgres: str) -> None:
    engine = sqlalchemy.create_engine(postgres.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.exec_driver_sql('create table twice (price integer, "Price" integer)')
    with pytest.raises(MappingError, match=r"twice: the columns 'price' and 'Price' differ in case only.* Next: "):
        DatabaseSource(postgres, "the test's").table("twice")
    with engine.begin() as connection:
        connection.exec_driver_sql("drop table twice")
    engine.dispose()


def test_a_file_is_found_whose_name_looks_like_a_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "it's [new]"
    folder.mkdir()
    (folder / "lines [1].csv").write_text("id\n1\n")
    source = FolderSource(folder)
    assert source.sample(source.table("lines [1].csv"), 10).num_rows == 1
