"""Eight processes read all the while that twenty states are published: each sees one state at a time, and no error."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration.foreign_keys import ForeignKey
from orchestration.publishing import DATABASE_FILE, publish
from shops import ShopFolders
from tests.postgres_server import running_postgres

READERS = 8
PUBLISHES = 20
ROWS = 1000
KEYS = [ForeignKey("fct_sale", "thing_id", "dim_thing", "thing_id")]
# Three queries of one connection (of one transaction, on a server), noted once they have all been answered.
READING = """
import json, sys, time
from pathlib import Path
QUERIES = (
    "select min(state) from marts.dim_thing",
    "select cast(sum(state) as bigint) from marts.fct_sale",
    "select cast(sum(dim_thing.state) as bigint) from marts.fct_sale inner join marts.dim_thing using (thing_id)",
)
where, stop = sys.argv[1], Path(sys.argv[2])
noted = []
print("ready", flush=True)
while not stop.exists():
    with connection_to(where) as connection:
        noted.append([connection.execute(query).fetchone()[0] for query in QUERIES])
    time.sleep(0.1)  # else there is nothing left of two cores to publish with
print(json.dumps(noted))
"""
FILE = """
import duckdb
def connection_to(where):
    return duckdb.connect(where, read_only=True, config={"threads": 1})
"""
SERVER = """
import psycopg
def connection_to(where):
    return psycopg.connect(where)
"""


def _warehouse(folders: ShopFolders, state: int) -> Path:
    folders.data.mkdir(parents=True, exist_ok=True)
    folders.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(folders.warehouse)) as connection:
        connection.execute(
            "create schema marts; create table marts.dim_thing (thing_id integer primary key, state integer);"
            f"insert into marts.dim_thing select i, {state} from range({ROWS}) as r(i);"
            "create table marts.fct_sale (sale_id integer primary key, thing_id integer, state integer);"
            f"insert into marts.fct_sale select i, i, {state} from range({ROWS}) as r(i);"
        )
    return folders.warehouse


def _read_while(publishing: Callable[[int], object], reader: str, where: str, stop: Path) -> list[list[list[int]]]:
    """What each reader noted while states 1 to 20 were published; state 0 was there before."""
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", reader + READING, where, str(stop)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(READERS)
    ]  # fmt: skip
    try:
        for process in readers:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for state in range(1, PUBLISHES + 1):
            publishing(state)
    finally:
        stop.touch()
        said = [process.communicate(timeout=60) for process in readers]
    assert [errors for _, errors in said if errors] == []
    return [json.loads(noted) for noted, _ in said]


@pytest.mark.parametrize("kind", ["file", pytest.param("server", marks=pytest.mark.slow)])
def test_readers_see_one_state_at_a_time(kind: str, tmp_path: Path) -> None:
    folders = ShopFolders.of("demo", tmp_path)

    def publish_state(state: int, url: str | None = None) -> None:
        publish(_warehouse(folders, state), folders, f"run-{state}", KEYS, url)

    if kind == "file":
        publish_state(0)
        database = str(folders.current / DATABASE_FILE)
        noted = _read_while(publish_state, FILE, database, tmp_path / "stop")
    else:
        with running_postgres() as url:
            publish_state(0, url)
            noted = _read_while(lambda state: publish_state(state, url), SERVER, url, tmp_path / "stop")

    for states in noted:
        assert states, "a reader read nothing"
        for state, total, joined in states:
            assert (total, joined) == (state * ROWS, state * ROWS), "of two states at once"
        assert [state for state, *_ in states] == sorted(state for state, *_ in states), "back to an older state"
    seen = {state for states in noted for state, *_ in states}
    assert seen <= set(range(PUBLISHES + 1))
    assert len(seen) > PUBLISHES // 2, "nobody was reading while they were published"
