"""Records into Splink's own DuckDB, cleaned and with the columns that only comparisons and blocks need."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pyarrow as pa

from ml.linkage.settings import KEY, LinkageSettings

TABLE = "linkage_records"
NUMBER = "record_no"
GIVEN = "given_records"


class LinkageError(ValueError):
    """The records cannot be linked as they are; says why."""


@contextmanager
def opened(threads: int | None, memory_limit: str | None = None) -> Iterator[Any]:
    """A Splink engine of its own: in memory, with a folder of its own for what does not fit; gone at the end."""
    from splink import DuckDBAPI

    # It tells of every level that a session did not see; what that means is decided in training.
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with tempfile.TemporaryDirectory(prefix="linkage-") as spill:
            api = DuckDBAPI(connection=":memory:")
            try:
                api.duckdb_con.execute(f"set temp_directory = '{spill}'")
                if threads is not None:
                    api.duckdb_con.execute(f"set threads = {threads}")
                if memory_limit is not None:
                    api.duckdb_con.execute(f"set memory_limit = '{memory_limit}'")
                # Rows are numbered by their key; no other order is needed.
                api.duckdb_con.execute("set preserve_insertion_order = false")
                api.duckdb_con.execute("set enable_progress_bar = false")
                yield api
            finally:
                api.duckdb_con.close()
    finally:
        logger.setLevel(level)


def as_arrow(records: pd.DataFrame | pa.Table, settings: LinkageSettings) -> pa.Table:
    """Key and compared columns as text; what is absent is null.

    Raises
    ------
    LinkageError
        A key is missing, null or there twice.
    """
    names = records.column_names if isinstance(records, pa.Table) else list(records.columns)
    if KEY not in names:
        raise LinkageError(f"records have no column {KEY}; they have {', '.join(map(str, names))}")
    columns = {}
    for name in (KEY, *settings.columns):
        if name in names:
            columns[name] = _as_text(records[name])
        else:
            columns[name] = pa.nulls(len(records), pa.string())
    table = pa.table(columns)
    if table[KEY].null_count:
        raise LinkageError(f"{table[KEY].null_count} records have no {KEY}")
    if len(table[KEY].unique()) != len(table):
        raise LinkageError(f"{len(table) - len(table[KEY].unique())} records repeat the {KEY} of another")
    return table


def _as_text(column: pd.Series[Any] | pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    try:
        values = column if isinstance(column, pa.ChunkedArray) else pa.array(column, from_pandas=True)
        if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
            return values.cast(pa.string())
        if pa.types.is_date(values.type) or pa.types.is_integer(values.type) or pa.types.is_null(values.type):
            return values.cast(pa.string())
        if pa.types.is_timestamp(values.type):
            return values.cast(pa.timestamp("us")).cast(pa.date32(), safe=False).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        pass  # one by one, then
    listed = column.to_pylist() if isinstance(column, pa.ChunkedArray) else column.tolist()
    return pa.array([_text(value) for value in listed], pa.string())


def _text(value: object) -> str | None:
    """Any value as text that can be stored; what is no UTF-8 becomes question marks."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def give(api: Any, records: pa.Table) -> None:
    """Let the engine see records, as the view `given_records`."""
    api.duckdb_con.register(GIVEN, records)


def cleaned_sql(settings: LinkageSettings) -> str:
    """The given records with cleaned columns."""
    cleaned = [f"{_cleaned(name)} as {name}" for name in settings.columns]
    return f"select {KEY}, {', '.join(cleaned)} from {GIVEN}"


def load(api: Any, settings: LinkageSettings, only: str | None = None) -> None:
    """Make the table `linkage_records` of the given records: cleaned columns, numbered in the order of the key.

    Beside them copies under other names, and parts, that `ml.linkage.comparisons` explains. `only`: a table with the
    keys of those to take.
    """
    con = api.duckdb_con
    chosen = f"{cleaned_sql(settings)} {f'semi join {only} using ({KEY})' if only else ''}"
    con.execute(f"""
        create or replace table {TABLE} as
        with cleaned as ({chosen})
        select
            (row_number() over (order by {KEY}))::integer as {NUMBER},
            *,
            given_name as swap_first,
            last_name as swap_last,
            given_name as named_first,
            last_name as named_last,
            nullif(split_part(email, '@', 1), '') as mail_words,
            nullif(split_part(email, '@', 1), '') as email_user
        from cleaned
    """)


def _cleaned(name: str) -> str:
    if name == "birth_date":
        # Also dates that do not exist: one wrong digit of a date is little.
        return "case when regexp_matches(birth_date, '^[0-9]{4}-[0-9]{2}-[0-9]{2}') then left(birth_date, 10) end"
    return f"nullif(trim(lower({name})), '')"
