"""SQLAlchemy dialect `duckdb+ro`: lets Great Expectations validate inside DuckDB, without writing to it.

What it mends in duckdb_engine 0.17 with SQLAlchemy 2.1, each seen to fail without it:

- Great Expectations fetches rows after its connection has gone back to the pool, and the rollback there empties
  DuckDB's pending result: begin, rollback and commit do nothing here, which is right for a read-only file.
- Reflection asks PostgreSQL's catalog for collations, which DuckDB has not: columns come from `duckdb_columns()`.
- Connections are opened exactly as `duckdb.connect(path, read_only=True)` does, without settings of duckdb_engine's
  own, because DuckDB refuses a second connection of the same process that is configured differently.
- Every connection is remembered, so that `close_connections` frees the file for a writer in the same process even
  when an exception still holds one.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

import duckdb
from duckdb_engine import ConnectionWrapper, Dialect
from sqlalchemy import text, types
from sqlalchemy.dialects import registry
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchTableError

IN_MEMORY = ":memory:"

_SQLALCHEMY_TYPES: dict[str, type[types.TypeEngine[Any]]] = {
    "BIGINT": types.BigInteger,
    "BOOLEAN": types.Boolean,
    "DATE": types.Date,
    "DECIMAL": types.Numeric,
    "DOUBLE": types.Float,
    "FLOAT": types.Float,
    "HUGEINT": types.BigInteger,
    "INTEGER": types.Integer,
    "SMALLINT": types.Integer,
    "TIMESTAMP": types.DateTime,
    "TINYINT": types.Integer,
    "UBIGINT": types.BigInteger,
    "UINTEGER": types.BigInteger,
    "VARCHAR": types.String,
}

_opened: list[Any] = []


class ReadOnlyDialect(Dialect):
    """DuckDB, opened read-only and without transactions of its own."""

    driver = "ro"
    supports_statement_cache = False

    def create_connect_args(self, url: URL) -> tuple[tuple[str, ...], dict[str, Any]]:
        """Positional and named arguments of `connect`: the database's path only."""
        return (unquote(url.database or IN_MEMORY),), {}

    def connect(self, *cargs: Any, **cparams: Any) -> Any:
        """Open a connection and remember it for `close_connections`."""
        (database,) = cargs
        wrapped = ConnectionWrapper(duckdb.connect(database, read_only=database != IN_MEMORY))
        _opened.append(wrapped)
        return wrapped

    def do_begin(self, connection: Any) -> None:
        """Do nothing: see the module's docstring."""

    def do_rollback(self, connection: Any) -> None:
        """Do nothing: see the module's docstring."""

    def do_commit(self, connection: Any) -> None:
        """Do nothing: see the module's docstring."""

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """Columns of a table or view in order, as SQLAlchemy's inspector wants them."""
        query = text(
            "select column_name, data_type, is_nullable from duckdb_columns() "
            "where table_name = :table_name and schema_name = :schema_name order by column_index"
        )
        found = connection.execute(query, {"table_name": str(table_name), "schema_name": schema or "main"}).fetchall()
        if not found:
            raise NoSuchTableError(f"{schema}.{table_name}" if schema else table_name)
        return [
            {
                "name": name,
                "type": _SQLALCHEMY_TYPES.get(data_type.split("(")[0].split(" ")[0], types.String)(),
                "nullable": nullable,
                "default": None,
            }
            for name, data_type, nullable in found
        ]

    def get_pk_constraint(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """No primary key: keys are dbt's affair, and reading them through PostgreSQL's catalog fails."""
        return {"constrained_columns": [], "name": None}


registry.register("duckdb.ro", __name__, "ReadOnlyDialect")


def connection_url(database: str) -> str:
    """URL of a database file, or of `:memory:`; the path is quoted, so that any character may be in it."""
    return f"duckdb+ro:///{quote(database, safe='')}"


def close_connections() -> None:
    """Close every connection that this dialect has opened in this process."""
    while _opened:
        _opened.pop().close()
