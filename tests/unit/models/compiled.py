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

from ingestion import read_contract
from orchestration.dbt_in_process import InProcessDbt
from shops import PROJECT_ROOT, ShopFolders

_LANDED = re.compile(r"read_parquet\('landing/(\w+)/[^)]*\)")
_LEDGER = re.compile(r"read_parquet\('state/(\w+)/[^)]*\)")
_READ = re.compile(r'"warehouse"\."\w+"\."(\w+)"')
_REFERRED = re.compile(r'dbt\.ref\("(\w+)"\)')
Row = Mapping[str, Any]


def compile_models(folder: Path, stages: Sequence[str]) -> None:
    """Write `<model>.sql` for each SQL model of the demo shop's `stages`, and their schemas, into `folder`."""
    dbt = InProcessDbt(ShopFolders.of("demo", folder / "data"))
    with dbt._environment(folder / "warehouse.duckdb"):
        result = dbt._invoke(["compile", "--select", *(f"tag:{stage}" for stage in stages)])
    assert result.success, result.exception
    known = {}
    for node in (found.node for found in result.result.results):
        if node.resource_type == "model" and node.config.materialized != "ephemeral":
            if node.language == "sql":
                sql = _LEDGER.sub(r"ledger.\1", _LANDED.sub(r"landing.\1", node.compiled_code))
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


class _Dbt:
    """What a dbt Python model asks of dbt."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, schemas: Mapping[str, str], model: str) -> None:
        self._connection, self._schemas = connection, schemas
        self.this = SimpleNamespace(database="warehouse", schema=schemas[model], identifier=model)

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
        connection = duckdb.connect()
        # The compiled SQL names its tables with the warehouse's name.
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        for schema in ("landing", "staging", "identity", "features", "marts", "ledger", "ml"):
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
        schemas = {name: model["schema"] for name, model in self._described["models"].items()}
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
                functions: dict[str, Any] = {}
                exec(compile(code, str(file), "exec"), functions)  # a model of this project
                written = functions["model"](_Dbt(connection, schemas, model), connection)  # noqa: F841 (read by DuckDB)
                connection.execute(f"create or replace table {schemas[model]}.{model} as from written")

    def empty(self, connection: duckdb.DuckDBPyConnection, *models: str) -> None:
        """Make models without rows, with the columns of their contracts."""
        for model in models:
            described = self._described["models"][model]
            listed = ", ".join(f"{name} {kind}" for name, kind in described["columns"].items())
            connection.execute(f"create or replace table {described['schema']}.{model} ({listed})")

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
