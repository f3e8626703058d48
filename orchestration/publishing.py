"""The last step: readers switch, all at once, to what passed every gate.

Each run writes a folder of its own with the serving database and its Parquet copies, then one symlink is renamed.
Renaming a database over another is not enough: a process that still holds the old file and connects again by the same
path would get the old data. A reader with an open connection goes on undisturbed on the folder it opened.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.sql import literal
from shops import ShopFolders

SCHEMA = "marts"
SOURCE = "warehouse"
DATABASE_FILE = "audience.duckdb"
KEPT_RUNS = 3


@dataclass(frozen=True)
class Published:
    """What readers see from now on: the run's folder, and rows by table."""

    folder: Path
    rows: dict[str, int]


def publish(warehouse: Path, folders: ShopFolders, run_id: str, add: Callable[[Path], None] | None = None) -> Published:
    """Write the marts of `warehouse` into the run's folder and point `published/current` at it.

    What stands on the marts is made by `add`, which gets the folder before readers see it: all of it switches together.
    """
    folder = folders.published / "runs" / run_id
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "parquet").mkdir(parents=True)
    rows = _write_database(warehouse, folder)
    if add is not None:
        add(folder)
    _switch(folders.current, folder)
    _prune(folder.parent, keep=folder)
    return Published(folder, rows)


def _write_database(warehouse: Path, folder: Path) -> dict[str, int]:
    rows: dict[str, int] = {}
    with duckdb.connect(str(folder / DATABASE_FILE)) as connection:
        # Under its own name: views in the warehouse name their tables with it.
        connection.execute(f"attach {literal(warehouse)} as {SOURCE} (read_only)")
        connection.execute(f"create schema {SCHEMA}")
        tables = connection.execute(
            "select table_name, sql from duckdb_tables() where database_name = $1 and schema_name = $2 "
            "union all select view_name, null from duckdb_views() where database_name = $1 and schema_name = $2 "
            "order by 1",
            [SOURCE, SCHEMA],
        ).fetchall()
        for table, definition in tables:
            if definition is None:  # A view becomes a table: readers get no way into the warehouse.
                connection.execute(f"create table {SCHEMA}.{table} as from {SOURCE}.{SCHEMA}.{table}")
            else:
                # The definition as it stands brings types, keys and constraints along.
                connection.execute(definition)
                connection.execute(f"insert into {SCHEMA}.{table} from {SOURCE}.{SCHEMA}.{table}")
            _copy_comments(connection, table)
            parquet = folder / "parquet" / table
            parquet.mkdir()
            written = connection.execute(
                f"copy {SCHEMA}.{table} to {literal(parquet / f'{table}.parquet')} (format parquet, compression zstd)"
            ).fetchone()
            rows[table] = int(written[0]) if written else 0
        connection.execute(f"detach {SOURCE}")
    return rows


def _copy_comments(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Descriptions travel with the tables, so that a BI tool shows them."""
    here = [SOURCE, SCHEMA, table]
    for kind in ("table", "view"):
        for (comment,) in connection.execute(
            f"select comment from duckdb_{kind}s() where database_name = ? and schema_name = ? and {kind}_name = ? "
            "and comment is not null",
            here,
        ).fetchall():
            connection.execute(f"comment on table {SCHEMA}.{table} is {literal(comment)}")
    for column, comment in connection.execute(
        "select column_name, comment from duckdb_columns() where database_name = ? and schema_name = ? "
        "and table_name = ? and comment is not null",
        here,
    ).fetchall():
        connection.execute(f"comment on column {SCHEMA}.{table}.{column} is {literal(comment)}")


def _switch(link: Path, folder: Path) -> None:
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.relative_to(link.parent), target_is_directory=True)
    fresh.replace(link)


def _prune(runs: Path, keep: Path) -> None:
    others = sorted((path for path in runs.iterdir() if path != keep), key=lambda path: path.stat().st_mtime)
    for folder in others[: max(0, len(others) - (KEPT_RUNS - 1))]:
        shutil.rmtree(folder, ignore_errors=True)
