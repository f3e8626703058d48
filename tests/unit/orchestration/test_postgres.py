"""The marts in a real PostgreSQL: the same tables with their keys, comments and grants, swapped under its readers."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from orchestration import postgres
from orchestration.foreign_keys import ForeignKey
from orchestration.postgres import PostgresFailed
from orchestration.publishing import publish
from shops import ShopFolders
from tests.postgres_server import PASSWORD, running_postgres

KEYS = [
    ForeignKey("dim_thing", "part_of", "dim_thing", "thing_id"),
    ForeignKey("fct_sale", "thing_id", "dim_thing", "thing_id"),
]
ODD = ["", "\\N", "\\.", "a\n\\.\nb", 'say "so", he said', "tab\tand\r\nline", " spaced ", "naïve — ✓", None, "NULL"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_postgres() as address:
        yield address


@pytest.fixture
def url(server: str) -> Iterator[str]:
    """A server without schemas and roles of an earlier test."""
    yield server
    with psycopg.connect(server, autocommit=True) as connection:
        for (schema,) in connection.execute(
            "select nspname from pg_namespace where nspname like 'marts%' or nspname = 'own'"
        ).fetchall():
            connection.execute(f"drop schema {schema} cascade")
        connection.execute("drop owned by bi" if _has_role(connection) else "select 1")
        connection.execute("drop role if exists bi")


def _has_role(connection: psycopg.Connection) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = 'bi'").fetchone() is not None


@pytest.fixture
def folders(tmp_path: Path) -> ShopFolders:
    return ShopFolders.of("demo", tmp_path)


def _warehouse(folders: ShopFolders, value: int, change: str = "") -> Path:
    folders.data.mkdir(parents=True, exist_ok=True)
    folders.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute(
            "create schema marts;"
            "create table marts.dim_thing (thing_id integer primary key, part_of integer, value integer not null);"
            f"insert into marts.dim_thing select i, nullif(i - 1, -1), {value} from range(1000) as r(i);"
            "comment on table marts.dim_thing is 'One row per thing, it''s said.';"
            "comment on column marts.dim_thing.value is 'Its value: 100%.';"
            'create table marts.fct_sale (thing_id integer, sold_at timestamp, "precision" double, '
            "amount decimal(18,2), is_good boolean, note varchar);"
            "create view marts.rpt_sale as select count(*) as sale_count from marts.fct_sale;"
        )
        for place, note in enumerate(ODD):
            connection.execute(
                "insert into marts.fct_sale values (?, ?::timestamp + to_microseconds(1), 0.1 + 0.2, -1.10, true, ?)",
                [place, "2024-02-29 23:59:59", note],
            )
        connection.execute("insert into marts.fct_sale values (null, null, 'nan', null, null, 'empty')")
        connection.execute(change)
    return folders.warehouse


def _publish(folders: ShopFolders, url: str, value: int, change: str = "") -> Any:
    return publish(_warehouse(folders, value, change), folders, f"run-{value}", KEYS, url)


def _values(connection: psycopg.Connection) -> list[Any]:
    return connection.execute("select distinct value from marts.dim_thing").fetchall()


def test_the_same_rows_with_keys_and_descriptions(url: str, folders: ShopFolders) -> None:
    # As SQLAlchemy spells it.
    _publish(folders, url.replace("postgresql://", "postgresql+psycopg://"), 1)
    with psycopg.connect(url) as connection:
        for table in ("dim_thing", "fct_sale", "rpt_sale"):
            there = connection.execute(f"select * from marts.{table}").fetchall()
            with duckdb.connect(str(folders.current / "audience.duckdb"), read_only=True) as published:
                here = published.execute(f"from marts.{table}").fetchall()
            assert sorted(map(str, there)) == sorted(map(str, here))
        types = connection.execute(
            "select column_name, data_type, is_nullable from information_schema.columns "
            "where table_schema = 'marts' and table_name in ('fct_sale', 'dim_thing')"
        ).fetchall()
        assert {("precision", "double precision", "YES"), ("note", "text", "YES"), ("value", "integer", "NO")} < {
            *types
        }
        keys = connection.execute(
            "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
            "where connamespace = 'marts'::regnamespace"
        ).fetchall()
        assert set(keys) == {
            ("marts.dim_thing", "PRIMARY KEY (thing_id)"),
            ("marts.dim_thing", "FOREIGN KEY (part_of) REFERENCES marts.dim_thing(thing_id)"),
            ("marts.fct_sale", "FOREIGN KEY (thing_id) REFERENCES marts.dim_thing(thing_id)"),
        }
        said = connection.execute(
            "select obj_description('marts.dim_thing'::regclass), col_description('marts.dim_thing'::regclass, 3), "
            "obj_description('marts'::regnamespace, 'pg_namespace')"
        ).fetchone()
        assert said == (
            "One row per thing, it's said.",
            "Its value: 100%.",
            "Published by audience-warehouse, shop demo, run run-1.",
        )


def test_a_reader_goes_on_undisturbed_and_the_old_tables_go_when_it_has_ended(
    url: str, folders: ShopFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "PATIENCE_SECONDS", 0.0)
    assert _publish(folders, url, 1).left_in_postgres == []
    with psycopg.connect(url) as reader, psycopg.connect(url) as other:
        rows = reader.cursor("in_the_middle")
        rows.execute("select value from marts.dim_thing")
        assert rows.fetchmany(10) == [(1,)] * 10
        (left,) = _publish(folders, url, 2).left_in_postgres
        assert left.startswith("marts_old_")
        assert set(rows.fetchall()) == {(1,)}
        assert _values(other) == [(2,)]
    assert _publish(folders, url, 3).left_in_postgres == []
    assert _schemas(url) == ["marts"]


def test_a_transaction_that_has_begun_to_read_is_waited_for(url: str, folders: ShopFolders) -> None:
    _publish(folders, url, 1)
    with psycopg.connect(url) as reader:
        assert _values(reader) == [(1,)]
        writer = threading.Thread(target=_publish, args=(folders, url, 2))
        writer.start()
        deadline = time.monotonic() + 5
        while not _waits_for_a_lock(url) and time.monotonic() < deadline:
            time.sleep(0.02)
        # Another table, in the same transaction: of the same state.
        assert reader.execute("select count(*) from marts.fct_sale, marts.rpt_sale").fetchone() == (len(ODD) + 1,)
        assert _values(reader) == [(1,)]
        reader.commit()
        writer.join()
        assert _values(reader) == [(2,)]


def _waits_for_a_lock(url: str) -> bool:
    with psycopg.connect(url) as connection:
        return connection.execute("select 1 from pg_locks where not granted").fetchone() is not None


def test_a_transaction_that_has_not_read_yet_finds_rows(url: str, folders: ShopFolders) -> None:
    """Even one that sees the database as it was before the tables were written."""
    _publish(folders, url, 1)
    with psycopg.connect(url) as reader:
        reader.execute("set transaction isolation level repeatable read")
        reader.execute("select 1")
        _publish(folders, url, 2)
        assert _values(reader) == [(2,)]


def test_who_could_read_still_can(url: str, folders: ShopFolders) -> None:
    _publish(folders, url, 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "create role bi; grant usage on schema marts to bi; grant select on marts.dim_thing to bi, public; "
            "grant select (note) on marts.fct_sale to bi; "
            "alter default privileges in schema marts grant select on tables to bi"
        )
    _publish(folders, url, 2, "create table marts.dim_later as select 1 as one")
    with psycopg.connect(url) as connection:
        connection.execute("set role bi")
        assert _values(connection) == [(2,)]
        assert connection.execute("select one from marts.dim_later").fetchone() == (1,)
        assert connection.execute("select count(note) from marts.fct_sale").fetchone() == (len(ODD),)
        granted = connection.execute(
            "select has_schema_privilege('public', 'marts', 'usage'), has_table_privilege('public', 'marts.dim_thing', "
            "'select'), has_table_privilege('public', 'marts.fct_sale', 'select')"
        ).fetchone()
        assert granted == (False, True, False)


def test_a_view_that_somebody_made_is_not_dropped(url: str, folders: ShopFolders) -> None:
    _publish(folders, url, 1)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create schema own; create view own.things as select distinct value from marts.dim_thing")
    (left,) = _publish(folders, url, 2).left_in_postgres
    assert _publish(folders, url, 3).left_in_postgres == [left]
    with psycopg.connect(url) as connection:
        assert connection.execute("select * from own.things").fetchall() == [(1,)]
        assert _values(connection) == [(3,)]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("create table marts.fct_wide as select 1::hugeint as n", "marts.fct_wide.n is HUGEINT, which PostgreSQL"),
        ("create table marts.fct_zero as select chr(0) as note", "refused to write the marts: .*COPY fct_zero, line 1"),
    ],
    ids=["a type that it does not have", "a row that it refuses"],
)
def test_a_write_that_fails_switches_nothing(change: str, reason: str, url: str, folders: ShopFolders) -> None:
    _publish(folders, url, 1)
    with pytest.raises(PostgresFailed, match=f"{reason}.* Next: "):
        _publish(folders, url, 2, change)
    assert folders.current.resolve().name == "run-1"
    with psycopg.connect(url) as connection:
        assert _values(connection) == [(1,)]
    assert _schemas(url) == ["marts"]


def test_a_swap_that_fails_switches_nothing(url: str, folders: ShopFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    _publish(folders, url, 1)
    monkeypatch.setattr(postgres, "_earlier", lambda _: "pg_")
    with pytest.raises(PostgresFailed, match=r"refused to swap the marts: .* Next: "):
        _publish(folders, url, 2)
    assert folders.current.resolve().name == "run-1"
    with psycopg.connect(url) as connection:
        assert _values(connection) == [(1,)]


def test_a_schema_of_somebody_else_is_not_replaced(url: str, folders: ShopFolders, tmp_path: Path) -> None:
    _publish(folders, url, 1)
    other = ShopFolders.of("other", tmp_path)
    with pytest.raises(PostgresFailed, match="does not come from the shop 'other', and is not replaced"):
        _publish(other, url, 2)
    assert not other.current.exists()
    with psycopg.connect(url) as connection:
        connection.execute("comment on schema marts is null")
    with pytest.raises(PostgresFailed, match="does not come from the shop 'demo'"):
        _publish(folders, url, 2)


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda url: url.replace("127.0.0.1:", "127.0.0.1:1"),
        lambda url: url.replace(":hush", "%zz:hush"),
        lambda url: url.replace("/postgres", "/nowhere"),
        lambda url: url.replace("@127", "@@127"),
        lambda url: f"mysql{url}",
    ],
    ids=["nobody there", "cannot be read", "no such database", "odd", "another kind"],
)
def test_what_is_said_never_holds_the_password(spoiled: Any, url: str, folders: ShopFolders) -> None:
    with pytest.raises(PostgresFailed, match=r"AUDIENCE_POSTGRES_URL .* Next: ") as failed:
        _publish(folders, spoiled(url), 1)
    assert PASSWORD not in str(failed.value)
    assert failed.value.__suppress_context__
    assert not folders.current.exists()


def _schemas(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        found = connection.execute("select nspname from pg_namespace where nspname like 'marts%'").fetchall()
    return [name for (name,) in found]
