"""What the values of a source's columns look like: numbers, times and how they are written, how many different ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from ingestion.mapping.sources import Source, SourceTable
from ingestion.sql import quoted

SAMPLE_ROWS = 20_000
# How times are written, the surest first; "" is what a cast understands (ISO 8601).
_TIME_FORMATS = (
    "", "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y", "%m/%d/%y %H:%M", "%m/%d/%y", "%d/%m/%y %H:%M", "%d-%m-%Y",
    "%d-%m-%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M%S", "%d %b %Y", "%b %d, %Y", "%b %d %Y",
)  # fmt: skip
_CURRENCIES = frozenset(
    re.findall(
        "...",
        "AEDARSAUDBGNBRLCADCHFCLPCNYCOPCZKDKKEGPEURGBPHKDHUFIDRILSINRISKJPYKESKRWMADMXNMYRNGNNOKNZDPENPHPPKRPLNQARRON"
        "RSDRUBSARSEKSGDTHBTRYTWDUAHUSDVNDZAR",
    )
)


@dataclass(frozen=True)
class ColumnProfile:
    """One column in a sample of its table.

    Attributes
    ----------
    is_text : the source holds it as text (as CSV and SQLite hold everything).
    values, distinct : values that are not empty, and how many different ones.
    is_number, has_fractions, decimal_comma, lowest : what they are as numbers; None or False where they are none.
    zero_behind : whole numbers as text with .0 behind them, which a spreadsheet or data frame adds to ids.
    time_format : how times are written, "" for one that a cast understands, None where they are no times.
    day_or_month_first : another format with day and month swapped reads them all as well.
    currencies : their values, where all are ISO 4217 codes.
    """

    name: str
    is_text: bool
    values: int
    distinct: int
    example: str
    is_number: bool
    has_fractions: bool
    decimal_comma: bool
    zero_behind: bool
    lowest: float | None
    time_format: str | None
    day_or_month_first: bool
    currencies: tuple[str, ...]

    @property
    def is_currency(self) -> bool:
        return bool(self.currencies)

    @property
    def only_currency(self) -> str | None:
        """The currency, where there is one in all rows."""
        return self.currencies[0] if len(self.currencies) == 1 else None


@dataclass(frozen=True)
class TableProfile:
    """A table of the source with its columns as a sample shows them."""

    name: str
    shown: str
    columns: Sequence[ColumnProfile]


def profile(source: Source, table: SourceTable) -> TableProfile:
    """Look at the first rows of `table`."""
    rows = source.sample(table, SAMPLE_ROWS)
    with duckdb.connect() as connection:
        connection.register("sample_rows", rows)
        columns = [_column(connection, name, kind) for name, kind in table.columns.items()]
    more = "the first " if rows.num_rows == SAMPLE_ROWS else ""
    return TableProfile(table.name, f"{more}{rows.num_rows:,} rows were looked at", columns)


def _column(connection: duckdb.DuckDBPyConnection, name: str, kind: str) -> ColumnProfile:
    column = quoted(name)
    text = f"nullif(trim(cast({column} as varchar)), '')"
    is_text = kind == "VARCHAR"
    comma = r"^-?\d{1,3}(\.?\d{3})*,\d+$"
    row = _one(
        connection,
        f"""
        with texts as (select {text} as value from sample_rows)
        select
            count(value), count(distinct value), min(value),
            count(*) filter (value is not null and try_cast(value as double) is null),
            count(*) filter (try_cast(value as double) <> trunc(try_cast(value as double))),
            count(*) filter (regexp_matches(value, '{comma}')),
            count(*) filter (regexp_matches(value, '^-?[0-9]+$')),
            count(*) filter (regexp_matches(value, '^[0-9]+[.]0$')),
            min(try_cast(replace(value, ',', '.') as double)),
            list(distinct value) filter (regexp_matches(value, '^[A-Z]{{3}}$')),
        from texts
        """,
    )
    values, distinct, example, no_number, fractions, with_comma, whole, with_zero, lowest, codes = row
    decimal_comma = bool(with_comma) and with_comma + whole == values
    is_number = values > 0 and (no_number == 0 or decimal_comma) and kind not in {"DATE", "BOOLEAN"}
    formats = _formats(connection, column, kind, values, is_number)
    return ColumnProfile(
        name=name,
        is_text=is_text,
        values=values,
        distinct=distinct,
        example=str(example)[:40],
        is_number=is_number,
        has_fractions=bool(fractions) or decimal_comma,
        decimal_comma=decimal_comma,
        zero_behind=is_text and values > 0 and with_zero == values,
        lowest=lowest if is_number else None,
        time_format=formats[0] if formats else None,
        day_or_month_first=any("%d/%m" in f for f in formats) and any("%m/%d" in f for f in formats),
        currencies=tuple(codes) if codes and distinct == len(codes) and set(codes) <= _CURRENCIES else (),
    )


def _formats(connection: duckdb.DuckDBPyConnection, column: str, kind: str, values: int, is_number: bool) -> list[str]:
    """The formats in which every value of the column is a time of the last hundred years."""
    if kind == "DATE" or kind.startswith("TIMESTAMP"):
        return [""]
    if kind != "VARCHAR" or values == 0:
        return []
    trimmed = f"nullif(trim({column}), '')"
    tried = [f for f in _TIME_FORMATS if not is_number or f in {"%Y%m%d", "%Y%m%d%H%M%S"}]
    reads = ", ".join(
        f"count(*) filter (coalesce({_read(trimmed, f)} between '1925-01-01' and '2100-01-01', false))" for f in tried
    )
    found = _one(connection, f"select {reads} from sample_rows") if tried else ()
    return [f for f, count in zip(tried, found, strict=True) if count == values]


def _read(text: str, time_format: str) -> str:
    return f"try_cast({text} as timestamp)" if not time_format else f"try_strptime({text}, '{time_format}')"


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    row = connection.execute(query).fetchone()
    return tuple(row) if row else ()
