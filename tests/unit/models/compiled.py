"""The SQL of dbt models, compiled once and run in memory on a handful of landed rows: milliseconds a shop.

What dbt adds around a model (contracts, tests, comments) is not here; `tests/integration` has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ingestion import read_contract
from orchestration.dbt_in_process import InProcessDbt
from shops import ShopFolders

_LANDED = re.compile(r"read_parquet\('landing/(\w+)/[^)]*\)")
_READ = re.compile(r'"warehouse"\."\w+"\."(\w+)"')
Row = Mapping[str, Any]


def compile_models(folder: Path, stages: Sequence[str]) -> None:
    """Write `<model>.sql` for each SQL model of the demo shop's `stages`, and their schemas, into `folder`."""
    dbt = InProcessDbt(ShopFolders.of("demo", folder / "data"))
    with dbt._environment(folder / "warehouse.duckdb"):
        result = dbt._invoke(["compile", "--select", *(f"tag:{stage}" for stage in stages)])
    assert result.success, result.exception
    schemas = {}
    for node in (found.node for found in result.result.results):
        if node.resource_type == "model" and node.language == "sql" and node.config.materialized != "ephemeral":
            sql = _LANDED.sub(r"landing.\1", node.compiled_code)
            (folder / f"{node.name}.sql").write_text(sql, encoding="utf-8")
            schemas[node.name] = node.schema
    (folder / "models.json").write_text(json.dumps(schemas), encoding="utf-8")


@dataclass(frozen=True)
class CompiledModels:
    """Models of the demo shop (US dollars, New York), ready to run on any landed rows."""

    folder: Path

    def warehouse(self) -> duckdb.DuckDBPyConnection:
        """An empty warehouse in memory: all landing tables of the contract, without rows."""
        connection = duckdb.connect()
        # The compiled SQL names its tables with the warehouse's name.
        connection.execute("attach ':memory:' as warehouse; use warehouse")
        for schema in ("landing", "staging", "identity", "features", "marts"):
            connection.execute(f"create schema {schema}")
        contract = read_contract()
        for table in contract.tables:
            connection.execute(f"create table landing.{table} as {contract.empty_select(table)}")
        return connection

    def build(self, connection: duckdb.DuckDBPyConnection, *models: str) -> None:
        """Run models, in the order given; what they read and is not there yet is made before them."""
        schemas = json.loads((self.folder / "models.json").read_text(encoding="utf-8"))
        for model in models:
            sql = (self.folder / f"{model}.sql").read_text(encoding="utf-8")
            there = {name for (name,) in connection.execute("select table_name from duckdb_tables()").fetchall()}
            self.build(connection, *sorted(set(_READ.findall(sql)) & set(schemas) - there - {model}))
            connection.execute(f"create or replace table {schemas[model]}.{model} as {sql}")


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
