"""The SQL of dbt models, compiled once and run in memory on a handful of landed rows: milliseconds a shop.

What dbt adds around a model (contracts, tests, comments) is not here; `tests/integration` has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pyarrow as pa

from ingestion import LandingZone, read_contract
from ingestion.sql import literal
from orchestration.dbt_in_process import InProcessDbt
from orchestration.ledger import open_ledger
from orchestration.lock import write_lock
from shops import PROJECT_ROOT, ShopFolders

_LANDED = re.compile(r"read_parquet\('landing/(\w+)/[^)]*\)")
_LEDGER = re.compile(r"read_parquet\('state/(\w+)/[^)]*\)")
_READ = re.compile(r'(?:"warehouse"\.)?"\w+"\."(\w+)"')
_NEW_LOADS = re.compile(r"load_id in \((?:'load-\w+'(?:, )?)+\)")
_REFERRED = re.compile(r'dbt\.ref\("(\w+)"\)')
Row = Mapping[str, Any]


def _of_tables(sql: str) -> str:
    """SQL that reads tables of the schemas `landing` and `ledger` in the place of files."""
    return _LEDGER.sub(r"ledger.\1", _LANDED.sub(r"landing.\1", sql))


def compile_models(folder: Path, stages: Sequence[str], **variables: Any) -> None:
    """Write `<model>.sql` for each SQL model of the demo shop's `stages`, and their schemas, into `folder`.

    `variables` are those of dbt's --vars.
    """
    dbt = InProcessDbt(ShopFolders.of("demo", folder / "data"))
    with dbt._environment(folder / "warehouse.duckdb"):
        selected = [f"tag:{stage}" for stage in stages]
        result = dbt._invoke(["compile", "--select", *selected, "--vars", json.dumps(variables)])
    assert result.success, result.exception
    known = {}
    for node in (found.node for found in result.result.results):
        if node.resource_type == "model" and node.config.materialized != "ephemeral":
            if node.language == "sql":
                sql = _of_tables(node.compiled_code)
                (folder / f"{node.name}.sql").write_text(sql, encoding="utf-8")
            else:
                code = (PROJECT_ROOT / node.original_file_path).read_text(encoding="utf-8")
                (folder / f"{node.name}.py").write_text(code, encoding="utf-8")
            columns = {name: column.data_type for name, column in node.columns.items()}
            known[node.name] = {"schema": node.schema, "columns": columns}
    tables = {}
    for source in dbt.manifest_dict["sources"].values():
        if source["source_name"] in ("ledger", "ml"):
            columns = {name: column["data_type"] for name, column in source["columns"].items()}
            tables[f"{source['source_name']}.{source['name']}"] = columns
    described = {"models": known, "tables": tables}
    (folder / "models.json").write_text(json.dumps(described), encoding="utf-8")


def compile_increments(folder: Path, models: CompiledModels) -> None:
    """Write what dbt runs when the identity stage continues what stands, into `folder`; rows are not needed for it.

    `<model>.sql` is what computes the changed rows, with the new loads as `{loads}` and the sequence before them as
    `{through}`; `increments.json` has the models in their order, with the statements that put the rows into the table.
    """
    folders = ShopFolders.of("demo", folder / "data")
    zone = LandingZone(folders.landing)
    dbt = InProcessDbt(folders)
    first = "int_identity__changed_records"
    with write_lock(folders.lock, "test"):
        open_ledger(folders)
        dbt.prepare(folders.warehouse)
        for load_id in ("load-first", "load-second", "load-third"):
            with duckdb.connect() as connection:
                zone.land(
                    connection, load_id=load_id, source="test", load_date=date(2018, 1, 1), known_at_is_assumed=False,
                    tables={},
                )  # fmt: skip
            if load_id == "load-third":
                break
            assert dbt.build_models([first], folders.warehouse).success
            with duckdb.connect(str(folders.warehouse)) as connection:
                _pretend_built(connection, models, first)
        with dbt._environment(folders.warehouse):
            result = dbt._invoke(["compile", "--select", "tag:identity"])
    assert result.success, result.exception
    found = [one.node for one in result.result.results if one.node.resource_type == "model"]
    replace = dict(zip((node.name for node in found), _replace(dbt, found), strict=True))
    order = []
    for node in sorted(found, key=lambda node: _depth(dbt.manifest_dict, node.unique_id)):
        if node.language == "sql":
            sql = _of_tables(node.compiled_code)
            sql = _NEW_LOADS.sub("load_id in ({loads})", sql).replace("load_sequence > 2", "load_sequence > {through}")
            (folder / f"{node.name}.sql").write_text(sql, encoding="utf-8")
        order.append((node.name, replace[node.name]))
    (folder / "increments.json").write_text(json.dumps(order), encoding="utf-8")


def _pretend_built(connection: duckdb.DuckDBPyConnection, models: CompiledModels, first: str) -> None:
    """Empty tables of all other models, with the note that they were built together with the model `first`."""
    row = connection.execute("select comment from duckdb_tables() where table_name = ?", [first]).fetchone()
    assert row is not None
    generation = json.dumps({"generation": json.loads(row[0])["generation"]})
    for name, model in models.schemas.items():
        if name == first:
            continue
        columns = models.columns(name)
        if any(kind is None for kind in columns.values()):
            continue  # written by Python, and nothing of identity reads it
        listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        connection.execute(f"create schema if not exists {model}")
        connection.execute(f"create table if not exists {model}.{name} ({listed})")
        connection.execute(f"comment on table {model}.{name} is {literal(generation)}")


def _depth(manifest: Mapping[str, Any], node: str) -> int:
    parents = [parent for parent in manifest["parent_map"][node] if parent.startswith("model.")]
    return 1 + max((_depth(manifest, parent) for parent in parents), default=0)


def _replace(dbt: InProcessDbt, nodes: Sequence[Any]) -> list[str]:
    """The statements that put the table `incoming` into each model's table; empty where it is made anew."""
    calls = []
    for node in nodes:
        increment = node.config.meta.get("increment", {})
        call = ""
        if "among" in increment:
            table, changes = (f"warehouse.identity.{name}" for name in (node.name, increment["among"]))
            call = f"{{{{ replace_changed('{table}', 'incoming', {list(node.columns)}, '{changes}', {increment['replaces']}) }}}}"
        calls.append(call)
    return [part.strip() for part in dbt.render("\n-- next --\n".join(calls)).split("-- next --")]


class _Dbt:
    """What a dbt Python model asks of dbt."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, str], model: str, is_incremental: bool
    ) -> None:
        self._connection, self._schemas = connection, schemas
        self.this = SimpleNamespace(database="warehouse", schema=schemas[model], identifier=model)
        self.is_incremental = is_incremental

    def ref(self, model: str) -> duckdb.DuckDBPyRelation:
        return self._connection.table(f"warehouse.{self._schemas[model]}.{model}")

    def source(self, source: str, table: str) -> duckdb.DuckDBPyRelation:
        return self._connection.table(f"warehouse.{source}.{table}")

    def config(self, **_: Any) -> None:
        pass


@dataclass(frozen=True)
class CompiledModels:
    """Models of the demo shop (US dollars, New York), ready to run on any landed rows."""

    folder: Path

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """An empty warehouse in memory: all landing tables of the contract, without rows."""
        connection = duckdb.connect(config={"threads": 1})
        # The compiled SQL names its tables with the warehouse's name.
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        for schema in ("landing", "staging", "identity", "features", "scores", "segments", "marts", "ledger", "ml"):
            connection.execute(f"create schema {schema}")
        for table, columns in self._described["tables"].items():
            listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table {table} ({listed})")
        for seed in (PROJECT_ROOT / "seeds").glob("*.csv"):
            connection.execute(f"create table staging.{seed.stem} as from read_csv('{seed}', all_varchar = true)")
        contract = read_contract()
        for table in contract.tables:
            connection.execute(f"create table landing.{table} as {contract.empty_select(table)}")
        return connection

    def build(self, connection: duckdb.DuckDBPyConnection, *models: str) -> None:
        """Run models, in the order given; what they read and is not there yet is made before them."""
        schemas = self.schemas
        for model in models:
            file = self.folder / f"{model}.sql"
            is_sql = file.exists()
            code = (file if is_sql else file.with_suffix(".py")).read_text(encoding="utf-8")
            there = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
            reads = set((_READ if is_sql else _REFERRED).findall(code))
            self.build(connection, *sorted(reads & set(schemas) - there - {model}))
            if is_sql:
                connection.execute(f"create or replace table {schemas[model]}.{model} as {code}")
            else:
                self._run(connection, model, f"{schemas[model]}.{model}", is_incremental=False)

    def _run(self, connection: duckdb.DuckDBPyConnection, model: str, table: str, is_incremental: bool) -> None:
        """Write into `table` what a Python model gives."""
        file = self.folder / f"{model}.py"
        functions: dict[str, Any] = {}
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), functions)  # a model of this project
        dbt = _Dbt(connection, self.schemas, model, is_incremental)
        written = functions["model"](dbt, connection)  # noqa: F841 (read by DuckDB)
        connection.execute(f"create or replace table {table} as from written")

    def continue_identity(self, connection: duckdb.DuckDBPyConnection, increments: Path, through: int) -> None:
        """Continue the tables of the identity stage, which hold the loads up to the sequence `through`."""
        loads = [name for (name,) in rows(connection, f"select load_id from landing.loads where load_sequence > {through}")]
        listed = ", ".join(f"'{name}'" for name in loads) or "null"
        for model, replace in json.loads((increments / "increments.json").read_text(encoding="utf-8")):
            table = f"{self.schemas[model]}.{model}"
            file = increments / f"{model}.sql"
            if file.exists():
                code = file.read_text(encoding="utf-8").replace("{loads}", listed).replace("{through}", str(through))
                connection.execute(f"create or replace table {'incoming' if replace else table} as {code}")
            else:
                self._run(connection, model, "incoming", is_incremental=True)
            if replace:
                connection.execute(replace)

    def empty(self, connection: duckdb.DuckDBPyConnection, *models: str) -> None:
        """Make models without rows, with the columns of their contracts."""
        for model in models:
            listed = ", ".join(f"{name} {kind}" for name, kind in self.columns(model).items())
            connection.execute(f"create or replace table {self.schemas[model]}.{model} ({listed})")

    @cached_property
    def schemas(self) -> dict[str, str]:
        """The schema of each model."""
        return {name: model["schema"] for name, model in self._described["models"].items()}

    def columns(self, model: str) -> dict[str, str | None]:
        """Columns of a model with their types; none for what its description does not say."""
        columns: dict[str, str | None] = self._described["models"][model]["columns"]
        return columns

    @cached_property
    def _described(self) -> dict[str, Any]:
        described: dict[str, Any] = json.loads((self.folder / "models.json").read_text(encoding="utf-8"))
        return described


def land(
    connection: duckdb.DuckDBPyConnection,
    load_id: str = "first",
    *,
    sequence: int = 1,
    load_date: date = date(2024, 2, 1),
    source: str = "till",
    **tables: Iterable[Row],
) -> None:
    """Land rows; columns that a row leaves out are null, known_at is occurred_at where it says nothing else."""
    counts = {}
    for table, given in tables.items():
        rows = [
            {**row, "load_id": load_id, **({} if "known_at" in row else {"known_at": row.get("occurred_at")})}
            for row in given
        ]
        counts[table] = len(rows)
        if rows:
            columns = list(dict.fromkeys(name for row in rows for name in row))
            landed = pa.table({name: [row.get(name) for row in rows] for name in columns})  # noqa: F841 (read by DuckDB)
            connection.execute(f"insert into landing.{table} by name select * from landed")
    connection.execute(
        "insert into landing.loads by name select ? as load_id, ? as source, ? as load_date, ? as load_sequence, "
        "'2' as contract_version, ? as tables, ? as row_count, false as is_synthetic",
        [load_id, source, load_date, sequence, json.dumps(counts), sum(counts.values())],
    )


def at(text: str) -> datetime:
    """`2024-01-31` (noon, so that it is the same day in New York) or `2024-01-31 08:30`, UTC."""
    return datetime.fromisoformat(text if len(text) > 10 else f"{text} 12:00")


def order(order_id: str, occurred_at: str, loyalty_id: str | None = "card", **more: Any) -> Row:
    """A landed order of the demo shop."""
    return {
        "order_id": order_id,
        "loyalty_id": loyalty_id,
        "status": "completed",
        "currency": "USD",
        "business_timezone": "America/New_York",
        "occurred_at": at(occurred_at),
        **more,
    }


def line(order_id: str, line_number: int, occurred_at: str, quantity: float = 1, net: float = 10, **more: Any) -> Row:
    """A landed sale line without discounts."""
    return {
        "order_id": order_id,
        "line_number": line_number,
        "product_id": "apple",
        "line_type": "sale",
        "quantity": quantity,
        "net_amount": net,
        "occurred_at": at(occurred_at),
        **more,
    }


def rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    return connection.execute(query).fetchall()
