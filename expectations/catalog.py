"""What a warehouse holds: its tables and columns, and rows on request. Read-only."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any


class UnreadableWarehouseError(RuntimeError):
    """The warehouse is missing, is not a DuckDB file, or is held open by a writer."""


class Catalog:
    """Read-only view of a warehouse; without a file, of nothing (SQL over Parquet files still runs).

    Parameters
    ----------
    warehouse : DuckDB file, or None.
    """

    def __init__(self, warehouse: Path | None = None) -> None:
        from expectations import dialect

        self._dialect = dialect
        self.database = dialect.IN_MEMORY if warehouse is None else str(warehouse)
        if warehouse is not None and not warehouse.is_file():
            raise UnreadableWarehouseError(f"{warehouse} does not exist")

    @property
    def url(self) -> str:
        """SQLAlchemy's address of it."""
        return self._dialect.connection_url(self.database)

    @cached_property
    def _connection(self) -> Any:
        import sqlalchemy

        try:
            return sqlalchemy.create_engine(self.url).connect()
        except Exception as error:
            raise UnreadableWarehouseError(f"{self.database} cannot be opened: {first_line(error)}") from error

    @cached_property
    def tables(self) -> Mapping[str, Mapping[str, str]]:
        """`schema.table` to its columns, each with its type, in order."""
        found: dict[str, dict[str, str]] = {}
        query = (
            "select schema_name || '.' || table_name as name, column_name, data_type from duckdb_columns() "
            "where not internal and database_name = current_database() "
            "order by schema_name, table_name, column_index"
        )
        for row in self.rows(query):
            found.setdefault(row["name"], {})[row["column_name"]] = row["data_type"]
        return found

    def has_rows(self, table: str) -> bool:
        """Whether `table` exists and is not empty."""
        return table in self.tables and bool(self.rows(f"select 1 as one from {table} limit 1"))

    def rows(self, query: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Rows of `query`, the first `limit` of them, as dicts."""
        import sqlalchemy

        # A colon would be read as a parameter by sqlalchemy.text: the query goes to the driver as it is.
        result = self._connection.exec_driver_sql(query if limit is None else f"select * from ({query}) limit {limit}")
        try:
            return [dict(row) for row in result.mappings()]
        except sqlalchemy.exc.ResourceClosedError:
            return []

    def columns(self, query: str) -> dict[str, Any]:
        """Columns of `query` as numpy arrays, masked where null: for statistics over many rows."""
        driver: Any = self._connection.connection.dbapi_connection
        return dict(driver.execute(query).fetchnumpy())

    def close(self) -> None:
        """Close every connection, Great Expectations' too, so that a writer can open the file in this process."""
        self._dialect.close_connections()


def first_line(error: BaseException) -> str:
    """Say what DuckDB said, without SQLAlchemy's statement and link around it."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().split("\n")[0] or type(error).__name__


def parquet_source(files: tuple[Path, ...]) -> str:
    """SQL that reads Parquet files; columns go by name, and those that a file of an older contract lacks are null."""
    listed = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
    return f"read_parquet([{listed}], hive_partitioning = false, union_by_name = true)"
