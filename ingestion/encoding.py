"""Where in a Parquet file the text is no UTF-8: DuckDB names file and value, people need column and row."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


def first_unreadable(file: Path) -> tuple[str, int] | None:
    """Column and row (1 for the first) of the first text in `file` that is no UTF-8; None where all can be read."""
    parquet = pq.ParquetFile(file)
    for field in parquet.schema_arrow:
        if not pa.types.is_string(field.type) and not pa.types.is_large_string(field.type):
            continue
        rows_before = 0
        for batch in parquet.iter_batches(columns=[field.name]):
            column = batch.column(0)
            try:
                column.validate(full=True)
            except pa.ArrowInvalid:
                return field.name, rows_before + _first_undecodable(column)
            rows_before += len(column)
    return None


def _first_undecodable(column: pa.Array) -> int:
    for place, value in enumerate(column.view(pa.binary()).to_pylist(), start=1):
        try:
            (value or b"").decode()
        except UnicodeDecodeError:
            return place
    raise AssertionError("the column is valid")
