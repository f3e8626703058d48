"""The landed files themselves: each Parquet footer against the contract, each load's row counts against its row.

A file is held against the contract that its load was written for: columns that are younger may be absent. Footers and
not the union of the files: DuckDB's union turns a number into text because of one bad file, and fills a missing column
with nulls.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from expectations.checks import number_text
from expectations.results import ExpectationResult, Severity

LOADS = "loads"
ZERO_ROWS_FILE = "empty.parquet"
GATE = "landing"
FIRST_VERSION = 1
KNOWN_AT = "known_at"
LAND_AGAIN = (
    "put the good file back; or delete the load's row file under landing/loads/ and land the load again "
    "(python -m ingestion --help): until that row is gone it counts as landed"
)


RENEW_ZERO_ROWS = "python -m ingestion land (it renews the zero-row files, which give staging the contract's columns)"


@dataclass(frozen=True)
class Contract:
    """The landing contract: tables, columns and types; which tables must have rows; what came with which version.

    Attributes
    ----------
    tables : table to its columns, each with its type.
    required : tables that must have rows.
    version : the contract's own version, a whole number.
    since : table to its columns that are younger than the table, each with the version that it came with.
    """

    tables: Mapping[str, Mapping[str, str]]
    required: frozenset[str]
    version: int = FIRST_VERSION
    since: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Contract:
        """Read a dbt sources file; the first source is the landing zone."""
        # The C loader where PyYAML has it: 8 ms instead of 50, and every gate reads the contract.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        source = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)["sources"][0]
        declared = source["tables"]
        return cls(
            {table["name"]: {column["name"]: column["data_type"] for column in table["columns"]} for table in declared},
            frozenset(table["name"] for table in declared if _meta(table).get("required")),
            version_number(_meta(source).get("contract_version")) or FIRST_VERSION,
            {
                table["name"]: {
                    column["name"]: version_number(_meta(column)["since"]) or FIRST_VERSION
                    for column in table["columns"]
                    if "since" in _meta(column)
                }
                for table in declared
            },
        )

    def columns_of(self, table: str, version: int) -> dict[str, str]:
        """Columns that a file written for `version` must have, each with its type."""
        since = self.since.get(table, {})
        return {name: kind for name, kind in self.tables[table].items() if since.get(name, FIRST_VERSION) <= version}


@dataclass(frozen=True)
class LandedFile:
    """One Parquet file: which table and load it belongs to, and what its footer says."""

    table: str
    path: Path
    load_id: str | None
    rows: int
    columns: Mapping[str, str]
    problem: str = ""
    newest_known_at: datetime | None = None

    @property
    def is_zero_rows_file(self) -> bool:
        """Whether it is the file that stands in every table's folder from the beginning."""
        return self.path.name == ZERO_ROWS_FILE

    @classmethod
    def read(cls, table: str, path: Path, load_ids: Iterable[str]) -> LandedFile:
        """Read the footer; a file that has none carries the `problem` instead."""
        load_id = next((known for known in load_ids if _belongs(path.stem, known)), None)
        if path.stat().st_size == 0:
            return cls(table, path, load_id, 0, {}, "the file has no bytes")
        try:
            with pq.ParquetFile(path) as file:
                columns = {field.name: duckdb_type(field.type) for field in file.schema_arrow}
                return cls(
                    table, path, load_id, file.metadata.num_rows, columns, newest_known_at=_newest_known_at(file)
                )
        except (pa.ArrowException, OSError) as error:
            reason = str(error).strip().split("\n")[0]
            return cls(table, path, load_id, 0, {}, f"not a whole Parquet file, it may be cut: {reason}")


@dataclass(frozen=True)
class LandingZone:
    """All landed files and the loads that are visible (those with a row in `loads`)."""

    root: Path
    contract: Contract
    files: Sequence[LandedFile]
    loads: Sequence[Mapping[str, Any]]

    @classmethod
    def read(cls, root: Path, contract: Contract) -> LandingZone:
        """List the files of every contract table and read their footers."""
        loads = _read_loads(root)
        ids = [str(load["load_id"]) for load in loads]
        files = [
            LandedFile.read(table, path, ids)
            for table in contract.tables
            for path in sorted((root / table).glob("**/*.parquet"))
        ]
        return cls(root, contract, files, loads)

    def of(self, table: str) -> list[LandedFile]:
        """All files of a table, of visible loads or not."""
        return [file for file in self.files if file.table == table]

    def visible(self, table: str) -> list[LandedFile]:
        """Files that count: of visible loads, and the zero-row one."""
        return [file for file in self.of(table) if file.load_id or file.is_zero_rows_file]

    def visible_rows(self, table: str) -> int:
        """Rows of a table in visible loads, by the footers."""
        return sum(file.rows for file in self.visible(table))

    def newest_known_at(self) -> dict[str, datetime]:
        """When the newest row of each table became known, by the footers; tables without rows are left out."""
        known = {
            table: [file.newest_known_at for file in self.visible(table) if file.newest_known_at is not None]
            for table in self.contract.tables
        }
        return {table: max(found) for table, found in known.items() if found}

    def contract_version(self, file: LandedFile) -> int:
        """The contract that a file was written for: its load's; of a file without a load, any may be.

        The zero-row file belongs to the project: it gives every read the columns of today's contract.
        """
        if file.is_zero_rows_file:
            return self.contract.version
        said = [load.get("contract_version") for load in self.loads if str(load["load_id"]) == file.load_id]
        return (version_number(said[0]) if said else None) or FIRST_VERSION

    def visible_paths(self) -> dict[str, tuple[Path, ...]]:
        """Paths to read, by table; a table without any is left out."""
        paths = {table: tuple(file.path for file in self.visible(table)) for table in self.contract.tables}
        return {table: found for table, found in paths.items() if found}


def check_files(zone: LandingZone) -> list[ExpectationResult]:
    """Hold every landed file against the contract, and every load against the rows it says it has."""
    results = [result for table in zone.contract.tables for result in _check_table(zone, table)]
    return [*results, *_check_versions(zone), *_check_loads(zone), *_check_drift(zone), *_check_strangers(zone)]


def _check_table(zone: LandingZone, table: str) -> Iterator[ExpectationResult]:
    files = zone.of(table)
    if not files:
        yield _failed(
            table,
            "the table has files",
            f"no Parquet file under {zone.root / table}",
            f"at least its zero-row file, {ZERO_ROWS_FILE}",
            next_step=RENEW_ZERO_ROWS,
        )
        return
    problems = [problem for file in files for problem in _check_file(zone, file)]
    yield from problems
    yield from _unknown_columns(zone, table)
    if not any(problem.blocks for problem in problems):
        columns = len(zone.contract.tables[table])
        yield ExpectationResult(
            GATE,
            "every file has the contract's columns and types",
            _full(table),
            "",
            True,
            f"{_many(len(files), 'file')}, {columns} columns{_older_files(zone, files)}",
            "as in the contract",
        )
    if table in zone.contract.required and table != LOADS:
        rows = zone.visible_rows(table)
        named = ", ".join(_name(zone, file) for file in files if not file.is_zero_rows_file) or "no file of a load"
        yield ExpectationResult(
            GATE,
            "a required table has rows",
            _full(table),
            "",
            rows > 0,
            f"{number_text(rows)} rows in visible loads" if rows else f"empty: no row in any visible load ({named})",
            "at least 1",
            [{"file": _name(zone, file), "rows": file.rows, "load": file.load_id or "none"} for file in files[:5]],
            next_step="" if rows else "land it (python -m ingestion --help): nothing can be built without it",
        )


def _check_file(zone: LandingZone, file: LandedFile) -> Iterator[ExpectationResult]:
    where = _name(zone, file)
    if file.problem:
        size = file.path.stat().st_size
        yield _failed(
            file.table,
            f"{where} can be read",
            file.problem,
            "a whole Parquet file",
            sample=[{"file": where, "bytes": size}],
        )
        return
    required = zone.contract.columns_of(file.table, zone.contract_version(file))
    for column, declared in zone.contract.tables[file.table].items():
        wanted = normalized_type(declared)
        found = file.columns.get(column)
        if found is None and column in required:
            yield _failed(
                file.table,
                f"{where} has the column {column}",
                f"the column is missing; found {', '.join(file.columns)}",
                f"{column} {wanted}",
                column,
                [{"file": where, "column": column, "expected": wanted, "found": "missing"}],
                next_step=RENEW_ZERO_ROWS if file.is_zero_rows_file else LAND_AGAIN,
            )
        elif found is not None and found != wanted:
            yield _failed(
                file.table,
                f"{where}: type of {column}",
                found,
                wanted,
                column,
                [{"file": where, "column": column, "expected": wanted, "found": found}],
            )


def _unknown_columns(zone: LandingZone, table: str) -> Iterator[ExpectationResult]:
    """A new column lands and is told, once a column: staging takes the contract's columns and no other."""
    unknown: dict[tuple[str, str], list[LandedFile]] = {}
    for file in zone.of(table):
        for column, kind in file.columns.items():
            if column not in zone.contract.tables[table]:
                unknown.setdefault((column, kind), []).append(file)
    for (column, kind), files in unknown.items():
        first = _name(zone, files[0])
        others = f" and in {_many(len(files) - 1, 'more file')}" if len(files) > 1 else ""
        yield _failed(
            table,
            "files have no column that the contract does not know",
            f"{column} {kind} in {first}{others}",
            "no further column",
            column,
            [{"file": _name(zone, file), "column": column, "expected": "none", "found": kind} for file in files[:5]],
            severity="warning",
            next_step="nothing reads it; add it to models/landing.yml if something should",
        )


def _older_files(zone: LandingZone, files: Sequence[LandedFile]) -> str:
    """Say how many files an older contract has let off some columns."""
    older = [file for file in files if zone.contract_version(file) < zone.contract.version and file.load_id]
    return f"; {_many(len(older), 'file')} of an older contract, without its younger columns" if older else ""


def _check_versions(zone: LandingZone) -> Iterator[ExpectationResult]:
    """A load of a contract that is not known here may mean something else by the same columns."""
    for load in zone.loads:
        said = load.get("contract_version")
        version = FIRST_VERSION if said is None else version_number(said)
        if version is None or version > zone.contract.version:
            yield _failed(
                LOADS,
                f"load {load['load_id']} was written for a contract that this version reads",
                f"contract {said}",
                f"contract {zone.contract.version} or older",
                "contract_version",
                [{"load": load["load_id"], "expected": f"at most {zone.contract.version}", "found": said}],
                next_step="upgrade the project to one that knows this contract, or land the load again with this one",
            )


def _check_drift(zone: LandingZone) -> Iterator[ExpectationResult]:
    """The newest load of each source against the one before it: its columns, table by table."""
    compared, drifted = 0, 0
    for table in zone.contract.tables:
        for older, newer in _last_two_loads(zone, table):
            compared += 1
            before, now = _columns_of(zone, table, older), _columns_of(zone, table, newer)
            differences = [
                *(f"{name} {kind} is new" for name, kind in now.items() if name not in before),
                *(f"{name} {kind} is gone" for name, kind in before.items() if name not in now),
                *(
                    f"{name} was {before[name]} and is {now[name]}"
                    for name in now
                    if before.get(name, now[name]) != now[name]
                ),
            ]
            if differences:
                drifted += 1
                yield _failed(
                    table,
                    f"columns of load {newer['load_id']}, against the load of the same source before it",
                    "; ".join(differences),
                    f"those of {older['load_id']}",
                    sample=[
                        {"load": newer["load_id"], "before": older["load_id"], "difference": text}
                        for text in differences
                    ],
                    severity="warning",
                    next_step="ask the source whether the change is meant; what the contract needs is checked above",
                )
    if compared and not drifted:
        yield ExpectationResult(
            GATE,
            "columns of the newest loads, against the loads of the same sources before them",
            _full(LOADS),
            "",
            True,
            f"{_many(compared, 'table')} compared",
            "the same columns",
        )


def _last_two_loads(zone: LandingZone, table: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Pairs of loads, older and newer, that brought files of `table`; one pair a source that landed more than once."""
    landed = {file.load_id for file in zone.of(table) if file.load_id and not file.problem}
    by_source: dict[str, list[Mapping[str, Any]]] = {}
    for load in sorted(zone.loads, key=lambda load: int(load.get("load_sequence") or 0)):
        if table != LOADS and str(load["load_id"]) in landed:
            by_source.setdefault(str(load.get("source")), []).append(load)
    for loads in by_source.values():
        if len(loads) > 1:
            yield loads[-2], loads[-1]


def _columns_of(zone: LandingZone, table: str, load: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: kind
        for file in zone.of(table)
        if file.load_id == str(load["load_id"])
        for name, kind in file.columns.items()
    }


def _check_loads(zone: LandingZone) -> Iterator[ExpectationResult]:
    if not zone.loads:
        yield _failed(
            LOADS,
            "a load is visible",
            f"no readable row in {zone.root / LOADS}",
            "one row a load, written last",
            next_step="python -m ingestion --help (a load without its row is unfinished and is not read)",
        )
    for load in zone.loads:
        load_id, said = str(load["load_id"]), rows_by_table(load.get("tables"))
        differing = [
            {"load": load_id, "table": table, "rows_said": rows, "rows_landed": landed, "files": len(files)}
            for table, rows in said.items()
            if table in zone.contract.tables and table != LOADS
            for files in [[file for file in zone.of(table) if file.load_id == load_id]]
            for landed in [sum(file.rows for file in files)]
            if landed != rows
        ]
        for row in differing:
            yield _failed(
                str(row["table"]),
                f"rows of load {load_id}, against what its row in loads says",
                f"{number_text(row['rows_landed'])} rows in {_many(int(str(row['files'])), 'file')}",
                f"exactly {number_text(row['rows_said'])}",
                sample=[row],
            )
        if said and not differing:
            yield ExpectationResult(
                GATE,
                f"rows of load {load_id}, against what its row in loads says",
                _full(LOADS),
                "tables",
                True,
                f"{number_text(sum(said.values()))} rows in {_many(len(said), 'table')}",
                "every table exactly as said",
            )


def _check_strangers(zone: LandingZone) -> Iterator[ExpectationResult]:
    """Warn about what lies in the landing zone and is not read."""
    for table in zone.contract.tables:
        unseen = [file for file in zone.of(table) if table != LOADS and not file.load_id and not file.is_zero_rows_file]
        if unseen:
            yield _failed(
                table,
                "every file belongs to a visible load",
                f"{_many(len(unseen), 'file')} of no visible load, not read",
                "its load has a row in loads",
                sample=[{"file": _name(zone, file), "rows": file.rows} for file in unseen[:5]],
                severity="warning",
                next_step="left by a load that was cut off: land it again, or delete the files",
            )
    if zone.root.is_dir():
        for folder in sorted(path.name for path in zone.root.iterdir() if path.is_dir()):
            if folder not in zone.contract.tables and not folder.startswith((".", "_")):
                yield _failed(
                    folder,
                    "every folder is a table of the contract",
                    f"{zone.root / folder} is not read",
                    f"one of {', '.join(zone.contract.tables)}",
                    severity="warning",
                    next_step="rename the folder, or add the table to models/landing.yml",
                )


def rows_by_table(tables: object) -> dict[str, int]:
    """Read the `tables` of a load: JSON (or a mapping) of table to rows, or to a mapping with `rows`."""
    parsed = json.loads(tables) if isinstance(tables, str) else tables
    if not isinstance(parsed, Mapping):
        return {}
    found = {str(table): value.get("rows") if isinstance(value, Mapping) else value for table, value in parsed.items()}
    return {table: int(rows) for table, rows in found.items() if rows is not None}


def duckdb_type(arrow_type: pa.DataType) -> str:
    """Name an Arrow type as the contract does: VARCHAR, DECIMAL(18,2), TIMESTAMP, INTEGER …"""
    if pa.types.is_dictionary(arrow_type):
        return duckdb_type(arrow_type.value_type)
    if pa.types.is_string(arrow_type) or pa.types.is_large_string(arrow_type) or pa.types.is_string_view(arrow_type):
        return "VARCHAR"
    if pa.types.is_decimal(arrow_type):
        return f"DECIMAL({arrow_type.precision},{arrow_type.scale})"
    if pa.types.is_timestamp(arrow_type):
        return "TIMESTAMP" if arrow_type.tz is None else "TIMESTAMP WITH TIME ZONE"
    simple = {
        pa.bool_(): "BOOLEAN",
        pa.int8(): "TINYINT",
        pa.int16(): "SMALLINT",
        pa.int32(): "INTEGER",
        pa.int64(): "BIGINT",
        pa.float32(): "FLOAT",
        pa.float64(): "DOUBLE",
        pa.date32(): "DATE",
    }
    return simple.get(arrow_type, str(arrow_type).upper())


def normalized_type(declared: str) -> str:
    """Write a type of the contract the one way that types are compared in."""
    name = re.sub(r"\s+", " ", re.sub(r"\s*([(),])\s*", r"\1", declared)).strip().upper()
    synonyms = {"STRING": "VARCHAR", "TEXT": "VARCHAR", "JSON": "VARCHAR", "INT": "INTEGER", "BOOL": "BOOLEAN"}
    return synonyms.get(name, name.replace("NUMERIC(", "DECIMAL("))


def version_number(said: object) -> int | None:
    """Read a contract's version, a whole number; None where it is none."""
    text = str(said if said is not None else "").strip()
    return int(text) if text.isdecimal() else None


def _meta(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**(declared.get("meta") or {}), **((declared.get("config") or {}).get("meta") or {})}


def _newest_known_at(file: pq.ParquetFile) -> datetime | None:
    """The greatest known_at of a file: from its footer, or from the column where the writer kept no statistics."""
    if KNOWN_AT not in file.schema_arrow.names or not file.metadata.num_rows:
        return None
    position = file.schema_arrow.names.index(KNOWN_AT)
    if not pa.types.is_timestamp(file.schema_arrow.field(position).type):
        return None  # Another type than the contract's: reported as such.
    newest: list[datetime] = []
    for group in range(file.metadata.num_row_groups):
        statistics = file.metadata.row_group(group).column(position).statistics
        if statistics is not None and statistics.has_min_max:
            newest.append(statistics.max)
        elif statistics is None or statistics.null_count != statistics.num_values:
            found = pc.max(file.read_row_group(group, columns=[KNOWN_AT])[KNOWN_AT]).as_py()
            newest += [found] if found is not None else []
    return max((at.replace(tzinfo=None) for at in newest), default=None)


def _belongs(stem: str, load_id: str) -> bool:
    return stem == load_id or (stem.startswith(f"{load_id}-") and stem[len(load_id) + 1 :].isdigit())


def _read_loads(root: Path) -> list[dict[str, Any]]:
    """Rows of `loads` from every file that can be read; the others are reported by their footers."""
    rows: list[dict[str, Any]] = []
    for path in sorted((root / LOADS).glob("**/*.parquet")):
        try:
            with pq.ParquetFile(path) as file:
                rows += file.read().to_pylist()
        except (pa.ArrowException, OSError):
            continue
    return [row for row in rows if row.get("load_id")]


def _failed(
    table: str,
    expectation: str,
    observed: str,
    threshold: str,
    column: str = "",
    sample: list[dict[str, Any]] | None = None,
    severity: Severity = "critical",
    next_step: str = LAND_AGAIN,
) -> ExpectationResult:
    return ExpectationResult(
        GATE, expectation, _full(table), column, False, observed, threshold, sample or [], severity, next_step
    )


def _name(zone: LandingZone, file: LandedFile) -> str:
    return file.path.relative_to(zone.root).as_posix()


def _full(table: str) -> str:
    return f"landing.{table}"


def _many(number: int, noun: str) -> str:
    return f"{number_text(number)} {noun}{'' if number == 1 else 's'}"
