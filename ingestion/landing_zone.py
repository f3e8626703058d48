"""The landing zone: append-only Parquet, one folder a table, one load at a time.

A load becomes visible through its row in `loads`, which is written last: whatever a killed load left behind is
overwritten by the next try and was never read in between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.contract import LandingContract, read_contract

LOADS = "loads"
TableWriter = Callable[[Path, str, pa.Schema], int]
"""Writes `<load_id>.parquet`, or several `<load_id>-<number>.parquet`, with the columns and types of the schema into
the folder, each whole or not at all; returns the rows."""
# A glob over an empty folder is an error in DuckDB. This file sorts first and so gives every read the contract's types.
ZERO_ROWS_FILE = Path("load_date=1970-01-01") / "empty.parquet"


class LandingError(RuntimeError):
    """A load cannot be landed; the message says what to do."""


@dataclass(frozen=True)
class LoadSummary:
    """What one load holds: table name to rows, and whether it was here before."""

    load_id: str
    source: str
    rows: Mapping[str, int]
    already_landed: bool


class LandingZone:
    """Writes loads into the folder `root`.

    Parameters
    ----------
    root
        `data/<shop>/landing`.
    contract
        Tables and columns; by default the project's.
    """

    def __init__(self, root: Path, contract: LandingContract | None = None) -> None:
        self.root = root
        self.contract = contract or read_contract()

    def prepare(self) -> None:
        """Leave a zero-row typed file in every table's folder; one of an older contract is replaced."""
        with duckdb.connect() as connection:
            for table, columns in self.contract.tables.items():
                file = self.root / table / ZERO_ROWS_FILE
                if not file.exists() or pq.read_schema(file).names != list(columns):
                    self._write(connection, self.contract.empty_select(table), file)

    def loads(self) -> list[LoadSummary]:
        """The visible loads, oldest first."""
        files = sorted((self.root / LOADS).glob("*/*.parquet"))
        if not files:
            return []
        try:
            rows = duckdb.execute(
                "select load_id, source, tables from read_parquet(?) order by load_sequence", [[str(f) for f in files]]
            ).fetchall()
        except duckdb.Error as error:
            raise LandingError(
                f"the loads in {self.root / LOADS} cannot be read: {error}. "
                "Next: put the good file back, or delete the broken one and land its load again."
            ) from error
        return [LoadSummary(load_id, source, json.loads(tables), True) for load_id, source, tables in rows]

    def land(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        load_id: str,
        source: str,
        load_date: date,
        known_at_is_assumed: bool,
        tables: Mapping[str, str | TableWriter],
        is_synthetic: bool = False,
    ) -> LoadSummary:
        """Write one load.

        Parameters
        ----------
        connection
            Where the queries of `tables` can run.
        load_id
            Its name; landing the same name twice changes nothing.
        tables
            Landing table to a query with columns of the contract; those it leaves out are null, `load_id` is added.
            Or to a function that writes the table's files itself, for more rows than one query should hold.
        is_synthetic
            Whether the rows were generated.
        """
        landed = self.loads()
        for earlier in landed:
            if earlier.load_id == load_id:
                return earlier
        self.prepare()
        partition = f"load_date={load_date.isoformat()}"
        rows = dict.fromkeys(tables, 0)
        with ThreadPoolExecutor() as pool:
            # Tables that write themselves do so beside the queries.
            writing = {
                table: self._start_writing(pool, connection, table, write, self.root / table / partition, load_id)
                for table, write in tables.items()
                if not isinstance(write, str)
            }
            for table, query in tables.items():
                if isinstance(query, str):
                    landed_rows = f"select *, '{load_id}' as load_id from ({query})"
                    given = [name for name, *_ in connection.execute(f"describe {landed_rows}").fetchall()]
                    typed = f"select {self.contract.select_list(table, given)} from ({landed_rows})"
                    rows[table] = self._write(connection, typed, self.root / table / partition / f"{load_id}.parquet")
            rows |= {table: future.result() for table, future in writing.items()}
        load_row = (
            f"select '{load_id}' as load_id, '{source}' as source, date '{load_date}' as load_date, "
            f"{len(landed) + 1} as load_sequence, {known_at_is_assumed} as known_at_is_assumed, "
            f"'{self.contract.version}' as contract_version, '{json.dumps(rows)}' as tables, "
            f"{sum(rows.values())} as row_count, {is_synthetic} as is_synthetic"
        )
        typed = f"select {self.contract.select_list(LOADS)} from ({load_row})"
        self._write(connection, typed, self.root / LOADS / partition / f"{load_id}.parquet")
        return LoadSummary(load_id, source, rows, already_landed=False)

    def _start_writing(
        self,
        pool: ThreadPoolExecutor,
        connection: duckdb.DuckDBPyConnection,
        table: str,
        write: TableWriter,
        folder: Path,
        load_id: str,
    ) -> Future[int]:
        """Let `write` make the files of a table, after what a load of this name that broke off may have left."""
        folder.mkdir(parents=True, exist_ok=True)
        of_this_load = re.compile(rf"{re.escape(load_id)}(-\d+)?\.parquet(\.unfinished)?")
        for left_over in folder.iterdir():
            if of_this_load.fullmatch(left_over.name):
                left_over.unlink()
        schema = connection.execute(self.contract.empty_select(table)).to_arrow_table().schema
        return pool.submit(write, folder, load_id, schema)

    @staticmethod
    def _write(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
        """Write beside, then rename: a reader sees a whole file or none."""
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".parquet.unfinished")
        written = connection.execute(f"copy ({query}) to '{unfinished}' (format parquet, compression zstd)").fetchone()
        unfinished.replace(file)
        return int(written[0]) if written else 0
