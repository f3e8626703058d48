"""What a gate says: one result an expectation, one report a gate. Plain data, no dependency."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

GATES: tuple[str, ...] = ("landing", "staging", "identity", "features", "scores", "segments", "marts")

Severity = Literal["critical", "warning"]

DEFAULT_PII_COLUMNS: tuple[str, ...] = (
    "email",
    "phone",
    "first_name",
    "last_name",
    "full_name",
    "address",
    "birth_date",
)
MASK = "•••"

# What to run when a gate failed, from the shell; {shop} is filled in by whoever knows it.
NEXT_STEP: dict[str, str] = {
    "landing": "land the data again (python -m ingestion --help), then: python -m expectations landing",
    "staging": "dbt build --select tag:staging, then: python -m expectations staging",
    "identity": "dbt build --select tag:identity, then: python -m expectations identity",
    "features": "dbt build --select tag:features, then: python -m expectations features",
    "scores": "run the job `refresh` (make demo), then: python -m expectations scores",
    "segments": "dbt build --select tag:segments, then: python -m expectations segments",
    "marts": "dbt build --select tag:marts, then: python -m expectations marts",
}


class ExpectationsError(ValueError):
    """The settings or a shop's expectations file are wrong; the message says where and what is meant."""


@dataclass(frozen=True)
class ExpectationResult:
    """Outcome of one expectation.

    Attributes
    ----------
    gate, expectation : the gate, and the expectation in words ("staged orders / landed orders").
    table_name, column_name : what it looked at; `column_name` is empty for a whole table.
    success : whether it held. A warning that did not hold is reported but does not fail the gate.
    observed_value, threshold : in words and numbers.
    sample_rows : at most a handful of the rows that explain a failure, PII already masked.
    next_step : what to do, or to run, when it did not hold.
    """

    gate: str
    expectation: str
    table_name: str
    column_name: str
    success: bool
    observed_value: str
    threshold: str
    sample_rows: list[dict[str, Any]] = field(default_factory=list)
    severity: Severity = "critical"
    next_step: str = ""

    @property
    def blocks(self) -> bool:
        """True when this result fails its gate."""
        return not self.success and self.severity == "critical"

    @property
    def where(self) -> str:
        """Table and column, or what a check over several tables named."""
        if not self.column_name or self.column_name.startswith(f"{self.table_name}."):
            return self.column_name or self.table_name
        return f"{self.table_name}.{self.column_name}"

    def sentence(self) -> str:
        """Say in one line what was expected and what was found."""
        return f"{self.where}: {self.expectation}: observed {self.observed_value}, expected {self.threshold}"


@dataclass(frozen=True)
class GateReport:
    """Outcome of one gate: its results, and where the page with all of them lies."""

    gate: str
    success: bool
    results: list[ExpectationResult]
    report_path: Path

    @property
    def failures(self) -> list[ExpectationResult]:
        """Results that fail the gate."""
        return [result for result in self.results if result.blocks]

    @property
    def warnings(self) -> list[ExpectationResult]:
        """Results that did not hold but do not fail the gate."""
        return [result for result in self.results if not result.success and not result.blocks]

    def rows(self, run_id: str, run_at: datetime | None = None) -> list[dict[str, Any]]:
        """Rows for `quality.gate_results`, in the order of that table's columns.

        Parameters
        ----------
        run_id : run that the gate belongs to.
        run_at : instant of the run, UTC (naive, or aware and then converted); now when left out.
        """
        at = run_at or datetime.now(UTC)
        if at.tzinfo is not None:
            at = at.astimezone(UTC).replace(tzinfo=None)
        return [
            {
                "gate": result.gate,
                "expectation": result.expectation,
                "table_name": result.table_name,
                "column_name": result.column_name or None,
                "success": result.success,
                "observed_value": result.observed_value,
                "threshold": result.threshold,
                "sample_rows": json.dumps(result.sample_rows, default=str, ensure_ascii=False),
                "severity": result.severity,
                "run_id": run_id,
                "run_at": at,
            }
            for result in self.results
        ]

    def summary(self) -> str:
        """Say in one line whether the gate held, and if not why and what to run next."""
        held = sum(result.success for result in self.results)
        warned = f", {_counted(len(self.warnings), 'warning')}" if self.warnings else ""
        if self.success:
            return f"gate {self.gate} passed: {held} of {len(self.results)} expectations held{warned}"
        first, *more = self.failures
        others = f" (and {len(more)} more)" if more else ""
        step = first.next_step or NEXT_STEP[self.gate]
        return f"gate {self.gate} failed: {first.sentence()}{others}{warned}. Next: {step}. Report: {self.report_path}"

    def markdown(self, limit: int = 5) -> str:
        """Short Markdown for check metadata: what failed, observed against threshold, sample rows."""
        held = sum(result.success for result in self.results)
        lines = [f"**{held} of {len(self.results)} expectations held.**"]
        shown = (self.failures + self.warnings)[:limit]
        if shown:
            lines += ["", "| | table | expectation | observed | expected |", "| --- | --- | --- | --- | --- |"]
        for result in shown:
            cells = (result.where, result.expectation, result.observed_value, result.threshold)
            lines.append(f"| {'✗' if result.blocks else '!'} | {' | '.join(_cell(cell) for cell in cells)} |")
        hidden = len(self.failures) + len(self.warnings) - len(shown)
        if hidden > 0:
            lines += ["", f"… and {hidden} more in the report."]
        for result in (result for result in shown if result.sample_rows):
            lines += ["", f"Rows of *{_cell(result.expectation)}*:", "", *markdown_table(result.sample_rows)]
        if not self.success:
            lines += ["", f"Next: `{self.failures[0].next_step or NEXT_STEP[self.gate]}`"]
        lines += ["", f"Report: `{self.report_path}`"]
        return "\n".join(lines)


def markdown_table(rows: list[dict[str, Any]]) -> list[str]:
    """Lines of a Markdown table; the columns are those of the first row."""
    names = list(rows[0])
    return [
        f"| {' | '.join(_cell(name) for name in names)} |",
        f"|{' --- |' * len(names)}",
        *(f"| {' | '.join(_cell(row.get(name)) for name in names)} |" for row in rows),
    ]


def mask_rows(rows: Iterable[Mapping[str, Any]], pii_columns: Collection[str]) -> list[dict[str, Any]]:
    """Copy rows with every value of a PII column replaced (nulls stay, so that gaps remain visible)."""
    private = {column.lower() for column in pii_columns}
    return [
        {name: MASK if name.lower() in private and value is not None else value for name, value in row.items()}
        for row in rows
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _cell(value: object) -> str:
    return str("" if value is None else value).replace("|", "\\|").replace("\n", " ")
