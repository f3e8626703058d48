"""Readers never wait and never see half a run."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.foreign_keys import ForeignKey
from orchestration.publishing import DATABASE_FILE, KEPT_RUNS, PublishingFailed, publish
from shops import ShopFolders


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path)


def _warehouse(folders: ShopFolders, value: int) -> Path:
    folders.data.mkdir(parents=True, exist_ok=True)
    folders.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute("create schema marts")
        connection.execute("create schema quality")
        connection.execute("create table marts.dim_thing (thing_id integer primary key, value integer not null)")
        connection.execute("comment on table marts.dim_thing is 'One row per thing, it''s said.'")
        connection.execute("comment on column marts.dim_thing.value is 'Its value.'")
        connection.execute("insert into marts.dim_thing select i, ? from range(1000) as r(i)", [value])
        connection.execute("create table quality.gate_results as select 'marts' as gate")
        connection.execute("create view marts.rpt_quality as select * from warehouse.quality.gate_results")
    return folders.warehouse


def _value(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = connection.execute("select min(value), max(value) from marts.dim_thing").fetchone()
    assert row is not None
    return row


def test_a_reader_goes_on_undisturbed_and_sees_the_new_one_when_it_reconnects(folders: ShopFolders) -> None:
    publish(_warehouse(folders, 1), folders, "run-1")
    database = str(folders.current / DATABASE_FILE)
    reader = duckdb.connect(database, read_only=True)
    assert _value(reader) == (1, 1)

    publish(_warehouse(folders, 2), folders, "run-2")

    assert _value(reader) == (1, 1)
    # In a process that still holds the old one, too: the symlink names another file now.
    with duckdb.connect(database, read_only=True) as reconnected:
        assert _value(reconnected) == (2, 2)
    assert _value(reader) == (1, 1)
    reader.close()


def test_database_and_parquet_switch_together(folders: ShopFolders) -> None:
    for value in (1, 2):
        publish(_warehouse(folders, value), folders, f"run-{value}")
        parquet = folders.current / "parquet" / "dim_thing" / "*.parquet"
        assert duckdb.execute(f"select distinct value from '{parquet}'").fetchall() == [(value,)]


def test_keys_and_descriptions_travel_along(folders: ShopFolders) -> None:
    publish(_warehouse(folders, 1), folders, "run-1")
    with duckdb.connect(str(folders.current / DATABASE_FILE), read_only=True) as connection:
        constraints = connection.execute("select constraint_type from duckdb_constraints()").fetchall()
        assert ("PRIMARY KEY",) in constraints
        assert connection.execute("select comment from duckdb_tables() where table_name = 'dim_thing'").fetchone() == (
            "One row per thing, it's said.",
        )
        assert connection.execute("select comment from duckdb_columns() where column_name = 'value'").fetchone() == (
            "Its value.",
        )
        assert connection.execute("from marts.rpt_quality").fetchall() == [("marts",)]


def test_only_the_last_runs_stay(folders: ShopFolders) -> None:
    for number in range(KEPT_RUNS + 2):
        publish(_warehouse(folders, number), folders, f"run-{number}")
    kept = sorted(path.name for path in (folders.published / "runs").iterdir())
    assert kept == [f"run-{number}" for number in range(2, KEPT_RUNS + 2)]


def test_a_publish_that_fails_leaves_readers_where_they_were(folders: ShopFolders) -> None:
    publish(_warehouse(folders, 1), folders, "run-1")
    (folders.data / "broken.duckdb").write_bytes(b"not a database")
    with pytest.raises(duckdb.Error):
        publish(folders.data / "broken.duckdb", folders, "run-2")
    assert folders.current.resolve().name == "run-1"


KEYS = [
    ForeignKey("dim_thing", "part_of", "dim_thing", "thing_id"),
    ForeignKey("fct_sale", "thing_id", "dim_thing", "thing_id"),
    ForeignKey("fct_refund", "sale_id", "fct_sale", "sale_id"),
    ForeignKey("fct_sale", "refund_id", "fct_refund", "refund_id"),
]


def _sold(folders: ShopFolders, change: str = "") -> Path:
    """A warehouse whose tables reference one another, one itself, and two each other."""
    folders.data.mkdir(parents=True, exist_ok=True)
    folders.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute(
            "create schema marts;"
            "create table marts.dim_thing (thing_id integer primary key, part_of integer);"
            "insert into marts.dim_thing values (1, null), (2, 3), (3, 1);"
            "create table marts.fct_sale (sale_id integer primary key, thing_id integer, refund_id integer);"
            "insert into marts.fct_sale values (10, 1, 20), (11, null, null);"
            "create table marts.fct_refund (refund_id integer primary key, sale_id integer);"
            f"insert into marts.fct_refund values (20, 10); {change}"
        )
    return folders.warehouse


def test_keys_are_declared_where_duckdb_can(folders: ShopFolders, tmp_path: Path) -> None:
    publish(_sold(folders), folders, "run-1", KEYS)
    with duckdb.connect(str(folders.current / DATABASE_FILE), read_only=True) as connection:
        declared = connection.execute(
            "select table_name, unnest(constraint_column_names), referenced_table, unnest(referenced_column_names) "
            "from duckdb_constraints() where constraint_type = 'FOREIGN KEY'"
        ).fetchall()
        # What DuckDB cannot declare would stand in the way of who takes the tables elsewhere.
        connection.execute(f"export database '{tmp_path / 'exported'}'")
    with duckdb.connect() as elsewhere:
        elsewhere.execute(f"import database '{tmp_path / 'exported'}'")
    assert {("fct_sale", "thing_id", "dim_thing", "thing_id")} <= set(declared)
    assert len(declared) == 2, "neither the key of a table to itself nor both keys of a circle"


@pytest.mark.parametrize(
    ("change", "table", "column", "value"),
    [
        ("insert into marts.fct_sale values (12, 77, null)", "fct_sale", "thing_id", 77),
        ("insert into marts.dim_thing values (4, 78)", "dim_thing", "part_of", 78),
        ("insert into marts.fct_refund values (21, 79)", "fct_refund", "sale_id", 79),
        ("insert into marts.fct_sale values (13, 1, 80)", "fct_sale", "refund_id", 80),
    ],
    ids=["declared", "to itself", "in a circle", "in a circle, the other way"],
)
def test_a_key_that_does_not_hold_is_not_published(
    change: str, table: str, column: str, value: int, folders: ShopFolders
) -> None:
    publish(_sold(folders), folders, "run-1", KEYS)
    with pytest.raises(PublishingFailed, match=rf"1 row\(s\) of marts.{table} have a {column} .*'{value}'.* Next: "):
        publish(_sold(folders, change), folders, "run-2", KEYS)
    assert folders.current.resolve().name == "run-1"


def test_what_stands_on_the_marts_switches_with_them_or_nothing_does(folders: ShopFolders) -> None:
    def add(folder: Path) -> None:
        # Readers still see the run before; the new database is whole.
        assert folder != folders.current.resolve()
        (folder / "site").mkdir()

    def fail(folder: Path) -> None:
        raise RuntimeError("no site")

    publish(_warehouse(folders, 1), folders, "run-1", add=add)
    assert (folders.current / "site").is_dir()
    with pytest.raises(RuntimeError, match="no site"):
        publish(_warehouse(folders, 2), folders, "run-2", add=fail)
    with duckdb.connect(str(folders.current / DATABASE_FILE), read_only=True) as connection:
        assert _value(connection) == (1, 1)
