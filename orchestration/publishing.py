"""The last step: readers switch, all at once, to what passed every gate.

Each run writes a folder of its own with the serving database and its Parquet copies, then one symlink is renamed.
Renaming a database over another is not enough: a process that still holds the old file and connects again by the same
path would get the old data. A reader with an open connection goes on undisturbed on the folder it opened.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.sql import literal, quoted
from orchestration.foreign_keys import ForeignKey, parents_first
from shops import ShopFolders

SCHEMA = "marts"
SOURCE = "warehouse"
DATABASE_FILE = "audience.duckdb"
KEPT_RUNS = 3
# Address of a PostgreSQL that gets the same tables.
URL_VARIABLE = "AUDIENCE_POSTGRES_URL"


class PublishingFailed(RuntimeError):
    """What was to be published does not hold what its contracts say; readers are where they were."""


@dataclass(frozen=True)
class Published:
    """What readers see from now on: the run's folder, and rows by table.

    `left_in_postgres` names schemas that were replaced and are still in use; None without a PostgreSQL.
    """

    folder: Path
    rows: dict[str, int]
    left_in_postgres: Sequence[str] | None = None


def publish(
    warehouse: Path,
    folders: ShopFolders,
    run_id: str,
    keys: Sequence[ForeignKey] = (),
    postgres_url: str | None = None,
    add: Callable[[Path], None] | None = None,
) -> Published:
    """Write the marts of `warehouse` into the run's folder and point `published/current` at it.

    With a PostgreSQL, both are written before either is switched. PostgreSQL goes first, because a server can fail in
    the last moment; the symlink, which is one rename on this disk, follows at once.

    Parameters
    ----------
    warehouse
        The file whose schema `marts` is published.
    folders
        The shop's.
    run_id
        Names the folder.
    keys
        The foreign keys between the tables; they are declared in what is published.
    postgres_url
        Address of a PostgreSQL that gets the same tables; None: there is none.
    add
        Makes what stands on the marts; it gets the folder before readers see it, so that all of it switches together.

    Raises
    ------
    PublishingFailed
        A foreign key does not hold.
    PostgresFailed
        PostgreSQL could not be opened, written or switched.
    """
    folder = folders.published / "runs" / run_id
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "parquet").mkdir(parents=True)
    rows = _write_database(warehouse, folder, keys)
    if add is not None:
        add(folder)
    left = None
    if postgres_url is None:
        _switch(folders.current, folder)
    else:
        # Imported here: without an address nobody waits for the driver.
        from orchestration.postgres import prepared

        with prepared(postgres_url, folder / DATABASE_FILE, SCHEMA, folders.shop, run_id, keys) as fresh:
            fresh.swap()
            _switch(folders.current, folder)
            left = fresh.drop_earlier()
    _prune(folder.parent, keep=folder)
    return Published(folder, rows, left)


def _write_database(warehouse: Path, folder: Path, keys: Sequence[ForeignKey]) -> dict[str, int]:
    rows: dict[str, int] = {}
    with duckdb.connect(str(folder / DATABASE_FILE)) as connection:
        # Under its own name: views in the warehouse name their tables with it.
        connection.execute(f"attach {literal(warehouse)} as {SOURCE} (read_only)")
        connection.execute(f"create schema {SCHEMA}")
        definitions = _definitions(connection)
        for table in parents_first(definitions, keys):
            of_table = [key for key in keys if key.table == table]
            # DuckDB knows no key to a table that is yet to come, and exports none of a table to itself.
            declared = [key for key in of_table if key.parent in rows]
            connection.execute(_with_keys(definitions[table], declared))
            try:
                connection.execute(f"insert into {SCHEMA}.{table} from {SOURCE}.{SCHEMA}.{table}")
            except duckdb.ConstraintException:
                _refuse_broken(connection, declared)
                raise
            _refuse_broken(connection, [key for key in of_table if key not in declared])
            _copy_comments(connection, table)
            parquet = folder / "parquet" / table
            parquet.mkdir()
            written = connection.execute(
                f"copy {SCHEMA}.{table} to {literal(parquet / f'{table}.parquet')} (format parquet, compression zstd)"
            ).fetchone()
            rows[table] = int(written[0]) if written else 0
        connection.execute(f"detach {SOURCE}")
    return rows


def _definitions(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """SQL that creates each published table; as it stands it brings types, keys and constraints along."""
    tables = connection.execute(
        "select table_name, sql from duckdb_tables() where database_name = ? and schema_name = ?", [SOURCE, SCHEMA]
    ).fetchall()
    # A view becomes a table: readers get no way into the warehouse.
    views = connection.execute(
        "select view_name, string_agg(printf('\"%s\" %s', column_name, data_type), ', ' order by column_index) "
        "from duckdb_views() join duckdb_columns() as columns "
        "on columns.database_name = duckdb_views.database_name and columns.schema_name = duckdb_views.schema_name "
        "and table_name = view_name "
        "where duckdb_views.database_name = ? and duckdb_views.schema_name = ? group by view_name",
        [SOURCE, SCHEMA],
    ).fetchall()
    return {**dict(tables), **{view: f"create table {SCHEMA}.{view}({columns});" for view, columns in views}}


def _with_keys(definition: str, keys: Sequence[ForeignKey]) -> str:
    """The definition of a table with foreign keys at its end."""
    return ", ".join([definition.rstrip("; ").removesuffix(")"), *(key.clause(SCHEMA) for key in keys)]) + ")"


def _refuse_broken(connection: duckdb.DuckDBPyConnection, keys: Sequence[ForeignKey]) -> None:
    """Raise PublishingFailed for the first of `keys` that does not hold in the warehouse."""
    for key in keys:
        child, parent = (f"{SOURCE}.{SCHEMA}.{quoted(table)}" for table in (key.table, key.parent))
        column, parent_column = quoted(key.column), quoted(key.parent_column)
        found = connection.execute(
            f"select count(*), any_value(child.{column}) from {child} as child "
            f"anti join {parent} as parent on child.{column} = parent.{parent_column} "
            f"where child.{column} is not null"
        ).fetchone()
        if found and found[0]:
            raise PublishingFailed(
                f"nothing is published: {found[0]:,} row(s) of {SCHEMA}.{key.table} have a {key.column} that "
                f"{SCHEMA}.{key.parent}.{key.parent_column} does not have, such as '{found[1]}'. "
                f"Next: correct the model {key.table} or {key.parent}, and run again."
            )


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
