"""Expressions of a mapping that fail in single rows: how many, and where the first of them is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingestion.mapping.binding import WHERE, BoundTable
from ingestion.mapping.model import MappingError
from ingestion.mapping.sources import FILE_COLUMN, ROW_COLUMN, TEXT
from ingestion.sql import quoted

_ORIGIN = f"{FILE_COLUMN}, {ROW_COLUMN}"


@dataclass(frozen=True)
class Failures:
    """Rows that an expression fails in, and of the first of them what the expression read, its file and row."""

    rows: int
    example: str
    file: str
    row: int


def failures(connection: duckdb.DuckDBPyConnection, table: BoundTable, name: str, relation: str) -> Failures | None:
    """Where the tried expression `name` fails; not where what it reads is blank, which is no value."""
    read = list(_columns_read(table, name))
    # An expression may well give null and not fail; a struct of null is not null.
    failed = f"try(struct_pack(value := ({table.clauses[name]}))) is null"
    for column in read:
        if table.source.columns[column] == TEXT:
            failed += f" and coalesce(trim({quoted(column)}) <> '', true)"
    values = ", ".join(f"cast({quoted(column)} as varchar)" for column in read)
    example = f"struct_pack(v := concat_ws(', ', {values or 'null'}), f := {FILE_COLUMN}, r := {ROW_COLUMN})"
    found = connection.execute(
        f"select count(*), arg_min({example}, {ROW_COLUMN}) from {_rows_for(table, name, relation)} where {failed}"
    ).fetchone()
    if not found or not found[0]:
        return None
    return Failures(found[0], found[1]["v"], found[1]["f"], found[1]["r"])


def explained(
    connection: duckdb.DuckDBPyConnection, table: BoundTable, relation: str, file: Path, error: duckdb.Error
) -> MappingError:
    """Why the rows of `table` cannot be made: which expression fails that could not be tried, and the first row."""
    # The condition first: the others are looked at in the rows that it lets through.
    for name in sorted(table.clauses.keys() - table.tried, key=lambda name: (name != WHERE, name)):
        rows = _rows_for(table, name, relation)
        good, reason = _rows_before_failure(connection, table.clauses[name], rows)
        if reason is not None:
            first = f"select {_ORIGIN} from {rows} order by {_ORIGIN} limit 1 offset {good}"
            in_file, row = connection.execute(first).fetchone() or ("", 0)
            return MappingError(
                f"{file}: tables.{table.name}.{name if name == WHERE else f'columns.{name}'}: {reason}, in {in_file} "
                f"row {row:,}. Next: let the expression hold every value, e.g. with try_cast(<column> as integer)."
            )
    return MappingError(f"{file}: tables.{table.name}: {_first_line(error)}. Next: correct its expressions.")


def _rows_for(table: BoundTable, name: str, relation: str) -> str:
    """What to select the rows from that an expression is evaluated in."""
    return f"(select * from {relation} {'' if name == WHERE else table.condition})"


def _rows_before_failure(connection: duckdb.DuckDBPyConnection, sql: str, relation: str) -> tuple[int, str | None]:
    """How many rows from the first on the expression holds, and why no more."""
    counted = connection.execute(f"select count(*) from {relation}").fetchone()
    good, bad = 0, (counted[0] if counted else 0) + 1
    reason = None
    while bad - good > 1:
        rows = (good + bad) // 2
        first_rows = f"select * from {relation} order by {_ORIGIN} limit {rows}"
        try:
            connection.execute(f"create or replace temp table tried_alone as select ({sql}) as v from ({first_rows})")
            good = rows
        except duckdb.Error as error:
            bad, reason = rows, _first_line(error)
    return good, reason


def _first_line(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")


def _columns_read(table: BoundTable, name: str) -> Iterator[str]:
    """The source's columns that an expression names, in its order."""
    tree = duckdb.execute("select json_serialize_sql(?)", [f"select ({table.clauses[name]})"]).fetchone()
    by_name = {column.lower(): column for column in table.source.columns}
    names = dict.fromkeys(_column_names(json.loads(tree[0] if tree else "{}")))
    return (by_name[column] for column in names if column in by_name)


def _column_names(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict):
        if tree.get("class") == "COLUMN_REF":
            yield from (name.lower() for name in tree["column_names"])
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _column_names(part)
