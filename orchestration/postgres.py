"""The marts in a PostgreSQL, for tools that ask a server: written beside the old schema, swapped by renaming.

Everything up to the swap is one transaction: what fails leaves nothing behind, and nobody sees a half. Rows are frozen
as they are written, because a reader whose transaction began earlier would find the new tables empty.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import psycopg
from psycopg.conninfo import conninfo_to_dict

from ingestion.sql import literal, quoted
from orchestration.foreign_keys import ForeignKey
from orchestration.publishing import URL_VARIABLE

# The words by which a schema is known to be ours: no other is replaced or dropped.
MARK = "Published by audience-warehouse, shop "
CONNECT_SECONDS = 10
# How long an attempt at the swap may hold up readers, and for how long attempts go on while somebody reads.
LOCK_TIMEOUT = "300ms"
PATIENCE_SECONDS = 10.0
COPY_BLOCK = 1 << 20
_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "UTINYINT": "smallint",
    "SMALLINT": "smallint",
    "USMALLINT": "integer",
    "INTEGER": "integer",
    "UINTEGER": "bigint",
    "BIGINT": "bigint",
    "UBIGINT": "numeric(20,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    "UUID": "uuid",
}


class PostgresFailed(RuntimeError):
    """The marts could not be written to PostgreSQL, where they are as they were."""


@dataclass(frozen=True)
class _Table:
    """A published table as PostgreSQL gets it: columns with types and comments, keys as lists of columns."""

    name: str
    comment: str | None
    columns: Mapping[str, str]
    comments: Mapping[str, str]
    keys: Sequence[str]

    def create(self, schema: str) -> str:
        columns = ", ".join(f"{quoted(name)} {kind}" for name, kind in self.columns.items())
        return f"create table {schema}.{quoted(self.name)} ({columns})"


class Prepared:
    """Tables that stand in PostgreSQL, seen by nobody yet."""

    def __init__(self, connection: psycopg.Connection, schema: str, fresh: str) -> None:
        self._connection = connection
        self._schema = schema
        self._fresh = fresh

    def swap(self) -> None:
        """Put them before the readers; raises PostgresFailed."""
        with _explained("swap"):
            _swap(self._connection, self._schema, self._fresh)

    def drop_earlier(self) -> list[str]:
        """Drop what was replaced, where nobody reads it and nothing stands on it; the names of schemas that stay."""
        try:
            return _drop_earlier(self._connection, self._schema)
        except psycopg.Error:  # The readers have what is new; the next run comes by here again.
            return []


@contextmanager
def prepared(
    url: str, database: Path, schema: str, shop: str, run_id: str, keys: Sequence[ForeignKey]
) -> Iterator[Prepared]:
    """Write the tables of `database` to PostgreSQL, beside those that stand there.

    Parameters
    ----------
    url
        Address of the PostgreSQL; it is never shown.
    database
        The published DuckDB file.
    schema
        Schema in both.
    shop, run_id
        Said in the schema's comment; a schema of another shop, or of somebody else, is not replaced.
    keys
        Foreign keys between the tables.

    Raises
    ------
    PostgresFailed
        With the reason and the next step.
    """
    with _connected(url) as connection:
        with _explained("write"):
            _refuse_others(connection, schema, shop)
            _drop_earlier(connection, schema)
            fresh = f"{schema}_new"
            _create(connection, schema, fresh, f"{MARK}{shop}, run {run_id}.")
            tables = _write(connection, database, schema, fresh)
            _add_keys(connection, fresh, tables, keys)
            _copy_grants(connection, schema, fresh)
        yield Prepared(connection, schema, fresh)


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection]:
    # SQLAlchemy's spelling is what people have at hand from their BI tool.
    address = url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        asked = conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        # What libpq says of it would quote parts of it.
        raise PostgresFailed(
            f"{URL_VARIABLE} is no address of a PostgreSQL. Next: write it as postgresql://user:password@host:5432/database."
        ) from None
    asked = {"connect_timeout": CONNECT_SECONDS, "application_name": "audience-warehouse", **asked}
    try:
        connection = psycopg.connect("", **asked)  # type: ignore[arg-type]
    except psycopg.Error as error:
        reason = str(error).strip().replace("\n", " ")
        if asked.get("password"):
            reason = reason.replace(str(asked["password"]), "…")
        raise PostgresFailed(
            f"the PostgreSQL of {URL_VARIABLE} cannot be opened: {reason}. Nothing is published. "
            "Next: start it or correct the address, and run again; or take the variable away."
        ) from None
    try:
        yield connection
    finally:
        connection.close()  # What was not committed is gone with it.


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Whatever PostgreSQL refuses is said with what to do next."""
    try:
        yield
    except psycopg.Error as error:
        reason = error.diag.message_primary or type(error).__name__
        where = f" ({error.diag.context.splitlines()[0]})" if error.diag.context else ""
        raise PostgresFailed(
            f"PostgreSQL refused to {doing} the marts: {reason}{where}. Nothing is published; what stood there stands. "
            f"Next: see to the database of {URL_VARIABLE}, and run again."
        ) from None


def _refuse_others(connection: psycopg.Connection, schema: str, shop: str) -> None:
    found = connection.execute(
        "select coalesce(obj_description(oid, 'pg_namespace'), '') from pg_namespace where nspname = %s", [schema]
    ).fetchone()
    if found and not str(found[0]).startswith(f"{MARK}{shop},"):
        raise PostgresFailed(
            f"the database of {URL_VARIABLE} has a schema '{schema}' that does not come from the shop '{shop}', and "
            "is not replaced: nothing is published. Next: give this shop a database of its own, or rename that schema."
        )


def _create(connection: psycopg.Connection, schema: str, fresh: str, comment: str) -> None:
    connection.execute(f"create schema {fresh}")
    connection.execute(f"comment on schema {fresh} is {literal(comment)}")
    # What our role grants on tables to come, in the schema that goes, it grants in the new one: before its first table.
    for privilege, grantee in connection.execute(
        "select privilege_type, case grantee when 0 then 'public' else grantee::regrole::text end "
        "from pg_default_acl cross join aclexplode(defaclacl) "
        "where defaclnamespace = to_regnamespace(%s) and defaclobjtype = 'r' and defaclrole = current_user::regrole",
        [schema],
    ).fetchall():
        connection.execute(f"alter default privileges in schema {fresh} grant {privilege} on tables to {grantee}")


def _write(connection: psycopg.Connection, database: Path, schema: str, fresh: str) -> list[_Table]:
    with (
        duckdb.connect(str(database), read_only=True) as published,
        tempfile.TemporaryDirectory(dir=database.parent, prefix=".postgres-") as folder,
    ):
        tables = _tables(published, schema)
        for table in tables:
            connection.execute(table.create(fresh))
            # DuckDB writes CSV on all cores, several times as fast as rows go through Python.
            file = Path(folder) / "rows.csv"
            published.execute(
                f"copy {schema}.{quoted(table.name)} to {literal(file)} (format csv, header false, nullstr '\\N')"
            )
            into = f"copy {fresh}.{quoted(table.name)} from stdin with (format csv, freeze, null '\\N')"
            with connection.cursor().copy(into) as copy, file.open("rb") as rows:
                while block := rows.read(COPY_BLOCK):
                    copy.write(block)
    return tables


def _tables(published: duckdb.DuckDBPyConnection, schema: str) -> list[_Table]:
    tables = []
    for name, comment in published.execute(
        "select table_name, comment from duckdb_tables() where schema_name = ? order by table_name", [schema]
    ).fetchall():
        columns, comments = {}, {}
        for column, kind, nullable, said in published.execute(
            "select column_name, data_type, is_nullable, comment from duckdb_columns() "
            "where schema_name = ? and table_name = ? order by column_index",
            [schema, name],
        ).fetchall():
            columns[column] = _type_of(kind, f"{schema}.{name}.{column}") + ("" if nullable else " not null")
            if said:
                comments[column] = said
        keys = [
            f"{kind.lower()} ({', '.join(map(quoted, of_key))})"
            for kind, of_key in published.execute(
                "select constraint_type, constraint_column_names from duckdb_constraints() "
                "where schema_name = ? and table_name = ? and constraint_type in ('PRIMARY KEY', 'UNIQUE')",
                [schema, name],
            ).fetchall()
        ]
        tables.append(_Table(name, comment, columns, comments, keys))
    return tables


def _type_of(kind: str, column: str) -> str:
    if kind.startswith("DECIMAL("):
        return kind.replace("DECIMAL", "numeric")
    if kind in _TYPES:
        return _TYPES[kind]
    raise PostgresFailed(
        f"{column} is {kind}, which PostgreSQL does not have. Next: cast it to a plain type in its model and contract."
    )


def _add_keys(connection: psycopg.Connection, fresh: str, tables: Sequence[_Table], keys: Sequence[ForeignKey]) -> None:
    """Keys, comments and statistics: after the rows, which is faster."""
    for table in tables:
        name = f"{fresh}.{quoted(table.name)}"
        for key in table.keys:
            connection.execute(f"alter table {name} add {key}")
        if table.comment:
            connection.execute(f"comment on table {name} is {literal(table.comment)}")
        for column, comment in table.comments.items():
            connection.execute(f"comment on column {name}.{quoted(column)} is {literal(comment)}")
        connection.execute(f"analyze {name}")
    there = {table.name for table in tables}
    for foreign in keys:
        if {foreign.table, foreign.parent} <= there:
            connection.execute(f"alter table {fresh}.{quoted(foreign.table)} add {foreign.clause(fresh)}")


def _copy_grants(connection: psycopg.Connection, schema: str, fresh: str) -> None:
    """Who may read the old schema, its tables and columns may read the new ones."""
    grantee = "case acl.grantee when 0 then 'public' else acl.grantee::regrole::text end"
    grants = connection.execute(
        f"""
        with old as (select oid, nspowner, nspacl from pg_namespace where nspname = %(old)s),
        tables as (
            select old.nspowner, was.oid, was.relacl, format('%%I.%%I', %(new)s, was.relname) as name
            from old inner join pg_class as was on was.relnamespace = old.oid and was.relkind = 'r'
            inner join pg_class as now
                on now.relname = was.relname and now.relnamespace = to_regnamespace(%(new)s) and now.relkind = 'r'
        )
        select format('grant %%s on schema %%I to %%s', acl.privilege_type, %(new)s, {grantee})
        from old cross join aclexplode(old.nspacl) as acl where acl.grantee <> old.nspowner
        union all
        select format('grant %%s on %%s to %%s', acl.privilege_type, tables.name, {grantee})
        from tables cross join aclexplode(tables.relacl) as acl where acl.grantee <> tables.nspowner
        union all
        select format('grant %%s (%%I) on %%s to %%s', acl.privilege_type, columns.attname, tables.name, {grantee})
        from tables inner join pg_attribute as columns on columns.attrelid = tables.oid
        inner join pg_attribute as kept
            on kept.attrelid = to_regclass(tables.name) and kept.attname = columns.attname and not kept.attisdropped
        cross join aclexplode(columns.attacl) as acl where acl.grantee <> tables.nspowner
        """,
        {"old": schema, "new": fresh},
    ).fetchall()
    for (grant,) in grants:
        connection.execute(grant)


def _swap(connection: psycopg.Connection, schema: str, fresh: str) -> None:
    """Rename both schemas and commit."""
    found = connection.execute("select oid from pg_namespace where nspname = %s", [schema]).fetchone()
    if found:
        _wait_for_readers(connection, schema)
        connection.execute(f"alter schema {schema} rename to {_earlier(schema)}{found[0]}")
    connection.execute(f"alter schema {fresh} rename to {schema}")
    connection.commit()


def _wait_for_readers(connection: psycopg.Connection, schema: str) -> None:
    """Lock the old tables, so that no transaction reads some of the old and then some of the new.

    Renaming needs no such lock. Without it a statement that is just being looked up could find one table of each, and a
    transaction that read the old would go on with the new. Whoever reads longer than our patience finishes the running
    query on the old tables all the same, and only that.
    """
    tables = connection.execute(
        "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = %s order by 1", [schema]
    ).fetchall()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while tables:
        try:
            with connection.transaction():
                # A reader who comes while we wait in line waits behind us, so we do not stand there for long.
                connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
                connection.execute(f"lock table {', '.join(name for (name,) in tables)} in access exclusive mode")
            return
        except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)


def _earlier(schema: str) -> str:
    """How the names of schemas begin that were replaced."""
    return f"{schema}_old_"


def _drop_earlier(connection: psycopg.Connection, schema: str) -> list[str]:
    """Drop the schemas that were replaced, but for those that are in use; returns the names of these."""
    left = []
    for (earlier,) in connection.execute(
        "select nspname::text from pg_namespace where starts_with(nspname, %s) "
        "and starts_with(obj_description(oid, 'pg_namespace'), %s) order by oid",
        [_earlier(schema), MARK],
    ).fetchall():
        tables = connection.execute(
            "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = %s", [earlier]
        ).fetchall()
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
                # By name and without cascade: a view that somebody made on them is not ours to drop.
                if tables:
                    connection.execute(f"drop table {', '.join(name for (name,) in tables)}")
                connection.execute(f"drop schema {quoted(earlier)}")
        except (
            psycopg.errors.LockNotAvailable,
            psycopg.errors.DeadlockDetected,
            psycopg.errors.DependentObjectsStillExist,
        ):
            left.append(earlier)
    connection.commit()
    return left
