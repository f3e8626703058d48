"""Runs one gate: collects its checks, validates them, explains what failed, writes the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from expectations.results import (
    DEFAULT_PII_COLUMNS,
    GATES,
    MASK,
    NEXT_STEP,
    ExpectationResult,
    ExpectationsError,
    GateReport,
    mask_rows,
)

if TYPE_CHECKING:
    from expectations.catalog import Catalog
    from expectations.validation import Outcome

SAMPLE_ROWS = 5
# Columns of samples whose text may hold anything, personal data too.
FREE_TEXT_COLUMNS = ("payload", "record_key")


def run_gate(
    gate: str,
    warehouse: Path,
    *,
    landing: Path,
    settings: Mapping[str, Any],
    reports: Path,
    contract: Path,
    extra: Path | None = None,
    feature_models: Sequence[Path] = (),
    data_docs: bool = True,
) -> GateReport:
    """Validate one stage and write its report.

    The warehouse is opened read-only and is free again when this returns, whatever happened.

    Parameters
    ----------
    gate : one of `GATES`.
    warehouse : DuckDB file; need not exist for the landing gate.
    landing : the landing zone's folder.
    settings : `gates` (thresholds by gate, see `expectations.limits`) and `pii_columns` are read; all is optional.
    reports : folder for `gates/<gate>.html`, `gates/index.html` and `data_docs/`.
    contract : the landing contract, a dbt sources file.
    extra : the shop's own expectations (YAML), if it has any.
    feature_models : folders whose yml declares features, the shop's own too; by default those beside the contract.
    data_docs : whether to write the Data Docs of all gates now. Who runs one gate after the other asks for them at the
        last one: making the pages takes half the time of a small gate. A gate that failed writes them in any case.

    Returns
    -------
    GateReport
        Also where a table is missing or the warehouse cannot be read: that is a failed result, not an exception.

    Raises
    ------
    ExpectationsError
        Unknown gate, unknown threshold in `settings`, or a wrong entry in `extra`.
    """
    from expectations import extra as extra_file
    from expectations import report, validation
    from expectations.catalog import Catalog, UnreadableWarehouseError
    from expectations.limits import LimitsError, read_limits

    if gate not in GATES:
        raise ExpectationsError(f"there is no gate {gate!r}; the gates are {', '.join(GATES)}")
    try:
        limits = read_limits(settings)
    except LimitsError as error:
        raise ExpectationsError(str(error)) from error
    own = extra_file.read(extra) if extra is not None and extra.is_file() else []
    pii_columns = tuple(settings.get("pii_columns") or DEFAULT_PII_COLUMNS)

    results: list[ExpectationResult] = []
    catalog: Catalog | None = None
    try:
        catalog = Catalog(None if gate == "landing" else warehouse)
        folders = tuple(feature_models) or (contract.parent / "features",)
        results = _results(gate, catalog, landing, contract, limits, own, reports / "data_docs", pii_columns, folders)
    except UnreadableWarehouseError as error:
        results = [_unreadable(gate, warehouse, error)]
    finally:
        if catalog is not None:
            catalog.close()
    written = report.write(gate, results, reports)
    if data_docs or not written.success:
        validation.write_data_docs(reports / "data_docs")
    return written


def preload() -> Thread:
    """Start importing Great Expectations in the background (seconds); call it before a wait for something else."""
    from expectations import validation

    return validation.preload()


def _results(
    gate: str,
    catalog: Catalog,
    landing: Path,
    contract: Path,
    limits: Any,
    own: Sequence[Any],
    data_docs: Path,
    pii_columns: tuple[str, ...],
    feature_models: tuple[Path, ...],
) -> list[ExpectationResult]:
    from expectations import extra as extra_file
    from expectations import validation
    from expectations.gates import Scope, suites_of
    from expectations.landing_files import Contract, LandingZone, check_files

    zone = LandingZone.read(landing, Contract.read(contract))
    scope = Scope(
        catalog,
        limits,
        zone.visible_paths(),
        {table: zone.visible_rows(table) for table in zone.contract.tables},
        zone.newest_known_at(),
        feature_models,
    )
    results: list[ExpectationResult] = []
    if gate == "landing":
        results = check_files(zone)
        if any(result.blocks for result in results):
            return results
    elif (missing := sorted(zone.contract.required - set(scope.landed))) and gate == "staging":
        return [_missing_landing(gate, landing, missing)]

    suites = suites_of(gate)(scope)
    own_suites, own_failures = extra_file.suites(gate, own, scope)
    runnable, absent = [], []
    for suite in [*suites, *own_suites]:
        lacking = [table for table in suite.required_tables if gate != "landing" and table not in catalog.tables]
        absent += [table for table in lacking if table not in absent]
        if not lacking:
            runnable.append(suite)
    results += [_missing_table(gate, table) for table in absent]
    results += own_failures
    outcomes = validation.validate(gate, runnable, catalog, data_docs, pii_columns)
    return results + [_explained(gate, outcome, catalog, pii_columns) for outcome in outcomes]


def _explained(gate: str, outcome: Outcome, catalog: Catalog, pii_columns: tuple[str, ...]) -> ExpectationResult:
    """Turn an outcome into words, with rows that show why it failed."""
    check, suite = outcome.check, outcome.suite
    sample = [] if outcome.success else _sample(outcome, catalog)
    named = [str(row[check.named_by]) for row in sample if row.get(check.named_by) is not None]
    private = check.column.lower() in {column.lower() for column in pii_columns}
    return ExpectationResult(
        gate,
        check.label,
        suite.table,
        ", ".join(named) or check.column,
        outcome.success,
        MASK if private and not outcome.error else _observed(outcome, sample),
        check.threshold,
        mask_rows(sample, (*pii_columns, *FREE_TEXT_COLUMNS)),
        check.severity,
        "" if outcome.success else check.next_step or NEXT_STEP[gate],
    )


def _sample(outcome: Outcome, catalog: Catalog) -> list[dict[str, Any]]:
    query = outcome.check.sample.replace("{source}", outcome.suite.source)
    if not query or (outcome.error and not outcome.suite.query):
        return []
    try:
        return catalog.rows(query, SAMPLE_ROWS)
    except Exception:
        # The check's own error is in the result already; a sample that cannot be read adds nothing to it.
        return []


def _observed(outcome: Outcome, sample: list[dict[str, Any]]) -> str:
    """Say what was found: the error, the value with its unit, or how many rows were outside and one of them."""
    from expectations.checks import number_text

    if outcome.error:
        return f"could not be checked: {outcome.error}"
    details = outcome.details or {}
    if outcome.observed is not None:
        value = outcome.observed
        if isinstance(value, Mapping) and "values" in value:
            value = value["values"][0] if len(value["values"]) == 1 else value["values"]
        unit = outcome.check.unit
        return f"{number_text(value)} {unit.replace('rows', 'row', 1) if value == 1 else unit}".strip()
    if details.get("unexpected_count") is not None:
        outside, total = details["unexpected_count"], details.get("element_count") or 0
        example = f", such as {number_text(sample[0].get(outcome.check.column))}" if sample else ""
        return f"{number_text(outside)} of {number_text(total)} rows outside{example}"
    return "no value (null)" if not outcome.success else "as expected"


def _missing_table(gate: str, table: str) -> ExpectationResult:
    return ExpectationResult(
        gate,
        f"the table {table} exists",
        table,
        "",
        False,
        "there is no such table",
        "it exists",
        next_step=NEXT_STEP[gate],
    )


def _missing_landing(gate: str, landing: Path, tables: list[str]) -> ExpectationResult:
    return ExpectationResult(
        gate,
        "required landing tables have files",
        ", ".join(f"landing.{table}" for table in tables),
        "",
        False,
        f"no file under {landing}",
        "at least one file each",
        next_step=NEXT_STEP["landing"],
    )


def _unreadable(gate: str, warehouse: Path, error: Exception) -> ExpectationResult:
    return ExpectationResult(
        gate,
        "the warehouse can be read",
        warehouse.name,
        "",
        False,
        str(error),
        "a DuckDB file that no other process is writing",
        next_step="make demo builds it; if another run is writing it, wait for that run to end",
    )
