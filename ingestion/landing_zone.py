"""The landing zone: append-only Parquet, one folder a table, one load at a time.

A load becomes visible through its row in `loads`, which is written last: whatever a killed load left behind is
overwritten by the next try and was never read in between.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.contract import LandingContract, read_contract
from ingestion.landing_lock import LandingZoneBusy, acquire
from ingestion.sql import files_in, literal
from shops.names import nearest

LOADS = "loads"
LOCK_FILE = ".lock"
TableWriter = Callable[[Path, str, pa.Schema], int]
"""Writes `<load_id>.parquet`, or several `<load_id>-<number>.parquet`, with the columns and types of the schema into
the folder, each whole or not at all; returns the rows."""
# A glob over an empty folder is an error in DuckDB. This file sorts first and so gives every read the contract's types.
ZERO_ROWS_FILE = Path("load_date=1970-01-01") / "empty.parquet"


class LandingError(RuntimeError):
    """A load cannot be landed; the message says what to do."""


@dataclass(frozen=True)
class LoadSummary:
    """What one load holds: table name to rows, whether it was here before, and what its adapter has to say of it."""

    load_id: str
    source: str
    rows: Mapping[str, int]
    already_landed: bool
    notes: tuple[str, ...] = ()


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
        self._depth = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only writer for a while; can be entered again within itself.

        Raises
        ------
        LandingError
            Somebody else writes the zone and does not come to an end.
        """
        try:
            handle = acquire(self.root / LOCK_FILE) if self._depth == 0 else None
        except LandingZoneBusy as error:
            raise LandingError(str(error)) from error
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if handle is not None:
                handle.close()

    def prepare(self) -> None:
        """Leave a zero-row typed file in every table's folder; one of an older contract is replaced."""
        with self.writing(), duckdb.connect() as connection:
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

    def visible(self, table: str) -> str:
        """SQL: the rows of `table` whose load is complete, in the contract's columns, with load_sequence."""
        columns = ", ".join(f"landed.{name}" for name in self.contract.tables[table])
        files = {
            name: f"read_parquet({files_in(self.root / name, '*/*.parquet')}, "
            "hive_partitioning = false, union_by_name = true)"
            for name in (table, LOADS)
        }
        return (
            f"select {columns}, loads.load_sequence from {files[table]} as landed "
            f"inner join {files[LOADS]} as loads on landed.load_id = loads.load_id"
        )

    def land(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        load_id: str,
        source: str,
        load_date: date,
        known_at_is_assumed: bool,
        tables: Mapping[str, str | TableWriter] | Iterable[tuple[str, str | TableWriter]],
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
            Or to a function that writes the table's files itself, for more rows than one query should hold; it runs
            beside the queries that come after it. Pairs may be given instead, one table at a time.
        is_synthetic
            Whether the rows were generated.
        """
        with self.writing():
            return self._land(connection, load_id, source, load_date, known_at_is_assumed, tables, is_synthetic)

    def _land(
        self,
        connection: duckdb.DuckDBPyConnection,
        load_id: str,
        source: str,
        load_date: date,
        known_at_is_assumed: bool,
        tables: Mapping[str, str | TableWriter] | Iterable[tuple[str, str | TableWriter]],
        is_synthetic: bool,
    ) -> LoadSummary:
        landed = self.loads()
        for earlier in landed:
            if earlier.load_id == load_id:
                self.prepare()  # Since it landed, the contract may have got columns that the zero-row files lack.
                return earlier
        self.prepare()
        partition = f"load_date={load_date.isoformat()}"
        rows: dict[str, int] = {}
        writing: dict[str, Future[int]] = {}
        with ThreadPoolExecutor() as pool:
            for table, query in tables.items() if isinstance(tables, Mapping) else tables:
                if not isinstance(query, str):
                    folder = self.root / table / partition
                    writing[table] = self._start_writing(pool, connection, table, query, folder, load_id)
                    continue
                typed = self._typed(connection, table, f"select *, {literal(load_id)} as load_id from ({query})")
                rows[table] = self._write(connection, typed, self.root / table / partition / f"{load_id}.parquet")
            rows |= {table: future.result() for table, future in writing.items()}
        load_row = (
            f"select {literal(load_id)} as load_id, {literal(source)} as source, date '{load_date}' as load_date, "
            f"{len(landed) + 1} as load_sequence, {known_at_is_assumed} as known_at_is_assumed, "
            f"{literal(self.contract.version)} as contract_version, {literal(json.dumps(rows))} as tables, "
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

    def _typed(self, connection: duckdb.DuckDBPyConnection, table: str, query: str) -> str:
        """`query` in the contract's columns and types; one that the contract does not know is refused."""
        given = [name for name, *_ in connection.execute(f"describe {query}").fetchall()]
        for unknown in (name for name in given if name not in self.contract.tables[table]):
            near = nearest(unknown, self.contract.tables[table])
            raise LandingError(
                f"{table}: the landing contract has no column '{unknown}'; did you mean '{near}'? Next: "
                "models/landing.yml lists the columns; leave out what it does not know."
            )
        return f"select {self.contract.select_list(table, given)} from ({query})"

    @staticmethod
    def _write(connection: duckdb.DuckDBPyConnection, query: str, file: Path) -> int:
        """Write beside, then rename: a reader sees a whole file or none."""
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".parquet.unfinished")
        written = connection.execute(
            f"copy ({query}) to {literal(unfinished)} (format parquet, compression zstd)"
        ).fetchone()
        unfinished.replace(file)
        return int(written[0]) if written else 0
