"""Command line: `python -m expectations GATE|all`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from expectations.results import GATES, NEXT_STEP, ExpectationResult, ExpectationsError, GateReport

PASSED, FAILED, MISUSED = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run gates and print what they found.

    Returns
    -------
    int
        0 when every gate passed, 1 when one failed, 2 when settings or arguments are wrong.
    """
    options = _parser().parse_args(arguments)
    gates = GATES if options.gate == "all" else (options.gate,)
    try:
        reports = _run(gates, options.shop, options.warehouse)
    except ExpectationsError as error:
        print(f"error: {error}", file=sys.stderr)
        return MISUSED
    failed = [report for report in reports if not report.success]
    if len(reports) > 1:
        print(f"\n{len(reports) - len(failed)} of {len(reports)} gates passed.")
    print(f"Report: {reports[-1].report_path.parent / 'index.html'}")
    return FAILED if failed else PASSED


def _run(gates: Sequence[str], shop: str | None, warehouse: Path | None) -> list[GateReport]:
    from expectations.runner import run_gate
    from shops import PROJECT_ROOT, SettingsError, ShopFolders, load_settings

    folders = ShopFolders.of(shop)
    try:
        settings = load_settings(shop)
    except SettingsError as error:
        raise ExpectationsError(str(error)) from error
    reports = []
    for gate in gates:
        report = run_gate(
            gate,
            warehouse or folders.warehouse,
            landing=folders.landing,
            settings=settings.model_dump(),
            reports=folders.reports,
            contract=PROJECT_ROOT / "models" / "landing.yml",
            extra=folders.own / "expectations.yml",
            feature_models=(PROJECT_ROOT / "models" / "features", folders.own / "models" / "features"),
            data_docs=gate == gates[-1],
        )
        print("\n".join(describe(report)), flush=True)
        reports.append(report)
    return reports


def describe(report: GateReport) -> list[str]:
    """Lines that say what a gate found: one when it passed, else each failure with its rows and the next command."""
    held = sum(result.success for result in report.results)
    warned = f", {len(report.warnings)} warning{'s' * (len(report.warnings) > 1)}" if report.warnings else ""
    mark = "✓" if report.success else "✗"
    lines = [f"{mark} {report.gate}: {held} of {len(report.results)} expectations held{warned}"]
    for result in report.failures:
        lines += ["", *_failure("✗", result)]
    for result in report.warnings:
        lines += ["", *_failure("!", result)]
    steps = dict.fromkeys(result.next_step or NEXT_STEP[report.gate] for result in report.failures)
    lines += ["", *(f"  next: {step}" for step in steps)] if steps else []
    return lines


def _failure(mark: str, result: ExpectationResult) -> list[str]:
    return [
        f"  {mark} {result.expectation}   ({result.where})",
        f"      observed  {result.observed_value}",
        f"      expected  {result.threshold}",
        *(f"      {line}" for line in _table(result.sample_rows)),
    ]


def _table(rows: list[dict[str, Any]], width: int = 24) -> list[str]:
    """Aligned text table of at most eight columns, long values cut."""
    if not rows:
        return []
    names = list(rows[0])[:8]
    cells = [names, *([_cut(row.get(name), width) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return ["  ".join(value.ljust(size) for value, size in zip(line, widths, strict=True)).rstrip() for line in cells]


def _cut(value: object, width: int) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m expectations",
        description="Check a stage of the warehouse with its gate, read-only, and write the reports.",
        epilog="Exit code: 0 all passed, 1 a gate failed, 2 wrong settings or arguments.",
    )
    parser.add_argument("gate", choices=[*GATES, "all"], metavar="GATE", help=f"all, or one of: {', '.join(GATES)}")
    parser.add_argument("--shop", help="folder under shops/ (default: AUDIENCE_SHOP, else demo)")
    parser.add_argument(
        "--warehouse",
        type=Path,
        help="DuckDB file to check (default: the shop's warehouse; e.g. data/demo/runs/<run>/warehouse.duckdb)",
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
