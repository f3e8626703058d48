"""A shop's own expectations: `shops/<shop>/expectations.yml`, run by the same runner as the shipped ones.

A list of entries, each with `gate`, `table` (`schema.table`; a landing table's name for the landing gate), `type` (a
class of Great Expectations) and `kwargs`; optional are `name` (what it means, in words) and `severity` (critical, the
default, or warning)::

    - gate: staging
      table: staging.stg_shop__orders
      name: the shop has at most 700 stores
      type: ExpectColumnUniqueValueCountToBeBetween
      kwargs: {column: store_id, max_value: 700}
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from expectations.checks import Check, Suite, each_between, extremes, limits_text
from expectations.gates import Scope
from expectations.results import GATES, NEXT_STEP, ExpectationResult, ExpectationsError, Severity
from shops.names import nearest

FIELDS = ("gate", "table", "type", "kwargs", "name", "severity")
SEVERITIES: tuple[Severity, ...] = ("critical", "warning")


@dataclass(frozen=True)
class Entry:
    """One expectation of a shop, as written, already checked for what can be checked without data."""

    gate: str
    table: str
    type: str
    kwargs: Mapping[str, Any]
    name: str
    severity: Severity

    @property
    def columns(self) -> list[str]:
        """Columns that its arguments name."""
        listed = [value for key, value in self.kwargs.items() if key in ("column", "column_A", "column_B")]
        return [*map(str, listed), *map(str, self.kwargs.get("column_list") or ())]


def read(path: Path) -> list[Entry]:
    """Read and check the whole file, whichever gate runs.

    Raises
    ------
    ExpectationsError
        Not a list, or an entry with an unknown field, gate, type or severity; names the entry and the nearest name.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
    except yaml.YAMLError as error:
        raise ExpectationsError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(entries, list):
        raise ExpectationsError(f"{path}: expected a list of expectations, found {type(entries).__name__}")
    return [_entry(entry, f"{path}, entry {number}") for number, entry in enumerate(entries, 1)]


def suites(gate: str, entries: Sequence[Entry], scope: Scope) -> tuple[list[Suite], list[ExpectationResult]]:
    """Suites of this gate's entries, and a failed result for each that names a table or column which is not there."""
    found: list[Suite] = []
    failures: list[ExpectationResult] = []
    for number, entry in enumerate((entry for entry in entries if entry.gate == gate), 1):
        problem = _problem(entry, scope)
        if problem:
            observed, threshold = problem
            failures.append(
                ExpectationResult(
                    gate, entry.name, entry.table, "", False, observed, threshold, [], entry.severity, NEXT_STEP[gate]
                )
            )
            continue
        query = f"select * from {scope.landing(_landing_name(entry.table))}" if gate == "landing" else ""
        name = f"own_{number}_{entry.table.rpartition('.')[2]}"
        found.append(Suite(name, entry.table, (_check(entry),), query))
    return found, failures


def _entry(entry: object, where: str) -> Entry:
    if not isinstance(entry, Mapping):
        raise ExpectationsError(f"{where}: expected {', '.join(FIELDS)}; found {entry!r}")
    for field in entry:
        if field not in FIELDS:
            raise ExpectationsError(f"{where}: unknown field {field!r}; did you mean {nearest(str(field), FIELDS)}?")
    for field in ("gate", "table", "type"):
        if not isinstance(entry.get(field), str):
            raise ExpectationsError(f"{where}: {field} is missing")
    gate, kind, severity = entry["gate"], entry["type"], entry.get("severity", "critical")
    if gate not in GATES:
        raise ExpectationsError(f"{where}: unknown gate {gate!r}; did you mean {nearest(gate, GATES)}?")
    if severity not in SEVERITIES:
        raise ExpectationsError(f"{where}: unknown severity {severity!r}; it is critical or warning")
    kwargs = entry.get("kwargs") or {}
    if not isinstance(kwargs, Mapping):
        raise ExpectationsError(f"{where}: kwargs has to be a mapping")
    _check_type(kind, kwargs, where)
    return Entry(gate, entry["table"], kind, kwargs, str(entry.get("name") or kind), severity)


def _check_type(kind: str, kwargs: Mapping[str, Any], where: str) -> None:
    from expectations import validation

    known = validation.expectation_types()
    if kind not in known:
        raise ExpectationsError(f"{where}: unknown type {kind!r}; did you mean {nearest(kind, known)}?")
    try:
        getattr(validation.load().expectations, kind)(**kwargs)
    except Exception as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:]) or str(error)
        raise ExpectationsError(f"{where}: arguments of {kind}: {reasons}") from error


def _problem(entry: Entry, scope: Scope) -> tuple[str, str] | None:
    """What is wrong with the table or a column, and the nearest valid name."""
    if entry.gate == "landing":
        name = _landing_name(entry.table)
        if name not in scope.landed:
            return f"there is no landing table {name!r}", f"did you mean {nearest(name, scope.landed)}?"
        described = f"select column_name from (describe select * from {scope.landing(name)})"
        known: Iterable[str] = [row["column_name"] for row in scope.catalog.rows(described)]
    else:
        if entry.table not in scope.catalog.tables:
            return f"there is no table {entry.table!r}", f"did you mean {nearest(entry.table, scope.catalog.tables)}?"
        known = scope.catalog.tables[entry.table]
    for column in entry.columns:
        if column not in known:
            return f"there is no column {column!r}", f"did you mean {nearest(column, known)}?"
    return None


def _check(entry: Entry) -> Check:
    kwargs = dict(entry.kwargs)
    column = str(kwargs.get("column", ""))
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    sample = extremes(column) if column else ""
    if entry.type == "ExpectColumnValuesToBeBetween" and isinstance(low, int | float | None):
        sample = each_between(column, low, high, "").sample
    if entry.type == "UnexpectedRowsExpectation":
        sample = str(kwargs["unexpected_rows_query"]).replace("{batch}", "{source}")
    limited = low is not None or high is not None
    others = {key: value for key, value in kwargs.items() if key != "column"}
    threshold = limits_text(low, high) if limited else ", ".join(f"{key} = {value}" for key, value in others.items())
    return Check(entry.type, entry.name, threshold or "as named", kwargs, column, sample, severity=entry.severity)


def _landing_name(table: str) -> str:
    return table.removeprefix("landing.")
