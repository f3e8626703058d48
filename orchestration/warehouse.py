"""DuckDB as Python assets use it: one connection at a time, frames out, whole partitions in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:  # every dbt command loads this module, and pandas takes as long as all of its rest
    import pandas as pd


@contextmanager
def reading(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to `warehouse`."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        yield connection


def has_table(warehouse: Path, schema: str, table: str) -> bool:
    """Whether the file `warehouse` exists and holds the table."""
    if not warehouse.exists():
        return False
    with reading(warehouse) as connection:
        found = connection.execute(
            "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?", [schema, table]
        ).fetchone()
    return found is not None and found[0] > 0


@contextmanager
def writing(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `warehouse` whose changes are all seen or, after an error, none."""
    with duckdb.connect(str(warehouse)) as connection:
        connection.begin()
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def replace_rows(
    connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame, where: Mapping[str, Any]
) -> None:
    """Put `frame` where the rows of `table` with the values of `where` were; see `add_rows`."""
    condition = " and ".join(f"{name} = ?" for name in where)
    connection.execute(f"delete from {table} where {condition}", list(where.values()))
    add_rows(connection, table, frame)


def add_rows(connection: duckdb.DuckDBPyConnection, table: str, frame: pd.DataFrame) -> None:
    """Add `frame` to the rows of `table`; columns are matched by name.

    Raises
    ------
    ValueError
        The frame lacks columns of the table or has others: the contract of the table is its dbt source.
    """
    described = connection.execute(f"describe {table}").fetchall()
    columns = [row[0] for row in described]
    if set(frame.columns) != set(columns):
        missing, extra = sorted(set(columns) - set(frame.columns)), sorted(set(frame.columns) - set(columns))
        raise ValueError(f"{table}: columns missing {missing}, unknown {extra}; see models/scores/_python_tables.yml")
    connection.register("incoming_rows", frame)
    listed = ", ".join(columns)
    connection.execute(f"insert into {table} ({listed}) select {listed} from incoming_rows")
    connection.unregister("incoming_rows")
