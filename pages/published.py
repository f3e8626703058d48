"""Reads the published database, and nothing else: rows as dictionaries, and whose figures they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

Row = dict[str, Any]


class Published:
    """A read-only connection to the marts."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, sql: str, *values: Any) -> list[Row]:
        """What `sql` gives, a dictionary a row."""
        cursor = self._connection.execute(sql, list(values))
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, sql: str, *values: Any) -> Row:
        """The first row, or an empty dictionary."""
        found = self.rows(sql, *values)
        return found[0] if found else {}


@contextmanager
def opened(database: Path) -> Iterator[Published]:
    """The published database, its marts in sight."""
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("use marts")
        yield Published(connection)


@dataclass(frozen=True)
class Source:
    """Whether a landing table is there, and whether rows of it were generated."""

    is_there: bool
    is_synthetic: bool


@dataclass(frozen=True)
class Shop:
    """What stands above every page: whose figures, in which money, up to when."""

    title: str
    currency: str
    as_of_date: date | None
    data_through: date | None
    first_order_date: date | None
    sources: dict[str, Source]

    @classmethod
    def of(cls, published: Published) -> Shop:
        """The shop of a published database."""
        said = published.row("select * from rpt_shop")
        first = published.row("select min(order_date) as day from fct_orders where is_purchase")
        landed = published.rows("select landing_table, row_count, is_synthetic from rpt_sources")
        return cls(
            title=said.get("shop_title") or "Customers and segments",
            currency=said.get("reporting_currency") or "",
            as_of_date=said.get("as_of_date"),
            data_through=said.get("data_through_date"),
            first_order_date=first.get("day"),
            sources={row["landing_table"]: Source(row["row_count"] > 0, row["is_synthetic"]) for row in landed},
        )

    def has(self, landing_table: str) -> bool:
        """Whether rows of the landing table have landed."""
        return self.sources.get(landing_table, Source(False, False)).is_there

    def is_synthetic(self, *landing_tables: str) -> bool:
        """Whether a figure that stands on these tables is to carry the badge."""
        return any(self.sources.get(table, Source(False, False)).is_synthetic for table in landing_tables)
