"""Readers never wait and never see half a run."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.publishing import DATABASE_FILE, KEPT_RUNS, publish
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
