"""The web models as SQL, without dbt around each step: compiled once by dbt, run on tables in memory.

A property needs hundreds of builds; dbt takes a second for each, DuckDB a tenth. What is run here is what dbt compiled:
the full select, the incremental select, and the strategy that puts the rows into the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import duckdb

from ingestion import LandingZone
from ingestion.contract import read_contract
from orchestration.dbt_in_process import InProcessDbt
from orchestration.lock import write_lock
from shops import ShopFolders

MODELS = ("base_web__events", "stg_web__sessions", "stg_web__identifications")
COLUMNS = read_contract().tables["web_events"]
_LANDED = re.compile(r"read_parquet\('landing/(\w+)/\*/\*\.parquet'[^)]*\)")

Row = Mapping[str, Any]


def event(**given: Any) -> dict[str, Any]:
    """A landed page view of one visitor at noon, with `given` over it; columns that are not given are null."""
    at = given.get("occurred_at", datetime(2017, 6, 1, 16))
    usual = {
        "event_id": "e1",
        "event_type": "page",
        "anonymous_id": "ann",
        "page_url": "https://www.shop.example/",
        "occurred_at": at,
        "sent_at": given.get("occurred_at", at),
        "known_at": at,
    }
    return {**dict.fromkeys(COLUMNS), **usual, **given}


MACROS = {
    "url_host": "url_host('given')",
    "url_path": "url_path('given')",
    "device_type": "device_type('given')",
    "web_address": "web_address('given')",
    "web_network": "web_network('given')",
    "log_spread": "log_spread('pause')",
    "evenness": "evidence_of_evenness('pauses', 'spread', 'usual')",
    "excess": "evidence_of_excess('distance')",
    "mix_distance": "mix_distance('total', 'usual')",
    "kind_count": "kind_count()",
    "kind_log_sum": "kind_log_sum()",
    "log_of_pause": "log_of_pause('pause_ms')",
}


@dataclass(frozen=True, repr=False)
class CompiledModels:
    """What dbt makes of the web models, model to SQL, and of the macros."""

    macros: Mapping[str, str]
    """Calls of `MACROS` over a column `given`."""
    full: Mapping[str, str]
    increment: Mapping[str, str]
    """With the load `{load_id}` as the new one and `{through}` as the load sequence before it."""
    replace: Mapping[str, str]
    """Statements that put the table `incoming` into the model's table."""
    tables: Mapping[str, str]
    """The statements that create the tables, with their constraints."""


def compile_models(folders: ShopFolders) -> CompiledModels:
    """Build the web models once with dbt in the fresh folder `folders`, to see what it runs.

    The numbers of the two loads are unlikely enough to be found in the SQL.
    """
    zone = LandingZone(folders.landing)
    land(zone, "load-first", [event()])
    dbt = InProcessDbt(folders)
    with write_lock(folders.lock, "test"), dbt._environment(folders.warehouse):
        full = _compiled(dbt)
        built = dbt._invoke(["run", "--select", *MODELS])
        assert built.success, built.exception
        land(zone, "load-second", [event(event_id="e2")])
        increment = _compiled(dbt)
        with duckdb.connect(str(folders.warehouse), read_only=True) as connection:
            tables = dict(
                connection.execute(
                    "select table_name, sql from duckdb_tables() where list_contains(?, table_name)", [list(MODELS)]
                ).fetchall()
            )
        replace = {model: _replace(dbt, model) for model in MODELS}
        macros = {name: _inline(dbt, call) for name, call in MACROS.items()}
    parts = {
        "base_web__events": ("load_id in ('load-second')", "load_id in ('{load_id}')"),
        "stg_web__sessions": ("load_sequence > 1", "load_sequence > {through}"),
        "stg_web__identifications": ("load_sequence > 1", "load_sequence > {through}"),
    }
    for model, (found, instead) in parts.items():
        assert increment[model].count(found) == 1, increment[model]
        increment[model] = increment[model].replace(found, instead)
    return CompiledModels(macros, full, increment, replace, tables)


def _compiled(dbt: InProcessDbt) -> dict[str, str]:
    result = dbt._invoke(["compile", "--select", *MODELS])
    assert result.success, result.exception
    return {
        one.node.name: _LANDED.sub(r"landing.\1", one.node.compiled_code)
        for one in result.result.results
        if one.node.name in MODELS
    }


def _replace(dbt: InProcessDbt, model: str) -> str:
    node = next(node for node in dbt.manifest_dict["nodes"].values() if node["name"] == model)
    ordered = node["config"]["meta"]["increment"].get("replaces_from")
    call = (
        f"replace_rows('warehouse.staging.{model}', 'incoming', {list(node['columns'])}, {node['config']['unique_key']}"
    )
    return _inline(dbt, call + (f", '{ordered}')" if ordered else ")"))


def _inline(dbt: InProcessDbt, call: str) -> str:
    result = dbt._invoke(["compile", "--inline", "{{ " + call + " }}"])
    assert result.success, result.exception
    return str(result.result.results[0].node.compiled_code)


def land(zone: LandingZone, load_id: str, rows: Sequence[Row]) -> None:
    """Land `rows` as a load of the landing zone."""
    with duckdb.connect() as connection:
        fill(connection, "rows", rows)
        zone.land(
            connection, load_id=load_id, source="test", load_date=date(2018, 1, 1), known_at_is_assumed=False,
            tables={"web_events": "select * exclude (load_id) from rows"},
        )  # fmt: skip


def fill(connection: duckdb.DuckDBPyConnection, table: str, rows: Iterable[Row]) -> None:
    """Put `rows` into `table`, created when it is not there."""
    types = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    connection.execute(f"create table if not exists {table} ({types})")
    values = [[row[name] for name in COLUMNS] for row in rows]
    if values:
        connection.executemany(f"insert into {table} values ({', '.join('?' for _ in COLUMNS)})", values)


class WebModels:
    """The tables of the web models in memory, built load by load."""

    def __init__(self, compiled: CompiledModels) -> None:
        self.compiled = compiled
        self.connection = duckdb.connect()
        self.connection.execute("set threads = 1")
        self.connection.execute("attach ':memory:' as warehouse")
        self.connection.execute("create schema landing")
        self.connection.execute("create schema warehouse.staging")
        self.connection.execute("create table landing.loads (load_id varchar, load_sequence bigint)")
        self.load_count = 0
        fill(self.connection, "landing.web_events", [])
        self._create()

    def land(self, rows: Sequence[Row]) -> str:
        """Add `rows` as the next load; returns its name."""
        self.load_count += 1
        load_id = f"load-{self.load_count}"
        self.connection.execute("insert into landing.loads values (?, ?)", [load_id, self.load_count])
        fill(self.connection, "landing.web_events", [{**row, "load_id": load_id} for row in rows])
        return load_id

    def build(self) -> None:
        """Build all tables from all loads."""
        self._create()
        for model in MODELS:
            self.connection.execute(f"insert into warehouse.staging.{model} by name ({self.compiled.full[model]})")

    def continue_with(self, load_id: str) -> None:
        """Build the newest load into the tables that hold the loads before it."""
        for model in MODELS:
            query = self.compiled.increment[model].replace("{load_id}", load_id)
            query = query.replace("{through}", str(self.load_count - 1))
            self.connection.execute(f"create or replace temp table incoming as {query}")
            self.connection.execute(self.compiled.replace[model])

    def rows(self, table: str, columns: str = "*", where: str = "true") -> list[tuple[Any, ...]]:
        """Rows of a staging table, ordered by all columns."""
        query = f"select {columns} from warehouse.staging.{table} where {where} order by all"
        return self.connection.execute(query).fetchall()

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """All rows of all tables."""
        return {model: self.rows(model) for model in MODELS}

    def close(self) -> None:
        self.connection.close()

    def _create(self) -> None:
        for model in MODELS:
            self.connection.execute(f"drop table if exists warehouse.staging.{model}")
            self.connection.execute(self.compiled.tables[model].replace("CREATE TABLE ", "CREATE TABLE warehouse."))
