"""Self-contained HTML pages of the gates: one a gate and an index, no external resource, readable on a phone.

Great Expectations' own Data Docs load their styles from the net; these pages are for where there is none, and for
who wants the failed rows first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from html import escape
from pathlib import Path
from typing import Any

from expectations.checks import number_text
from expectations.results import GATES, NEXT_STEP, ExpectationResult, GateReport

_STYLE = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --text: #1d2430; --dim: #5d6878; --line: #dfe4ea;
  --good: #1a7f4b; --good-back: #e3f4ea; --bad: #b42318; --bad-back: #fdeceb; --warn: #93610a; --warn-back: #fdf3dc; }
@media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1b212a; --text: #e6eaf0; --dim: #98a3b3;
  --line: #2e3743; --good: #57c98a; --good-back: #163526; --bad: #ff8a80; --bad-back: #41201e; --warn: #e9b44c;
  --warn-back: #3b2f14; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1.02rem; margin: 0; line-height: 1.35; }
a { color: inherit; }
code { font: .87em/1.45 ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; overflow-wrap: anywhere; }
.dim { color: var(--dim); font-size: .9rem; }
.head { display: flex; flex-wrap: wrap; gap: .3rem .9rem; align-items: center; }
.chip { display: inline-block; padding: .1rem .65rem; border-radius: 99px; font-size: .82rem; font-weight: 600;
  white-space: nowrap; }
.good { color: var(--good); background: var(--good-back); }
.bad { color: var(--bad); background: var(--bad-back); }
.warn { color: var(--warn); background: var(--warn-back); }
.none { color: var(--dim); background: var(--line); }
nav { display: flex; flex-wrap: wrap; gap: .4rem; margin: 1rem 0 0; }
nav a { text-decoration: none; padding: .15rem .7rem; border: 1px solid var(--line); border-radius: 99px;
  font-size: .85rem; background: var(--card); }
nav a[aria-current] { border-color: var(--text); font-weight: 600; }
.card { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 8px;
  padding: .9rem 1rem; margin: 0 0 .8rem; }
.card.is-bad { border-left-color: var(--bad); }
.card.is-warn { border-left-color: var(--warn); }
.card.is-good { border-left-color: var(--good); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .5rem 1.2rem;
  margin: .7rem 0 0; }
.facts div { min-width: 0; overflow-wrap: anywhere; }
.facts dt { color: var(--dim); font-size: .8rem; }
.facts dd { margin: 0; font-weight: 600; }
.scroll { overflow-x: auto; margin: .8rem 0 0; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .38rem .65rem; border-bottom: 1px solid var(--line); vertical-align: top; }
.scroll td, .scroll th { white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
th { color: var(--dim); font-weight: 600; background: var(--page); }
td.number, th.number { text-align: right; }
.next { margin: .8rem 0 0; font-size: .9rem; }
.passed td { overflow-wrap: anywhere; }
.passed td:first-child::before { content: "\\2713\\00a0"; color: var(--good); font-weight: 700; }
.chain { list-style: none; margin: 1.4rem 0 0; padding: 0; }
.chain a { text-decoration: none; display: block; }
.chain .card { margin-bottom: .55rem; }
.chain p { margin: .35rem 0 0; }
@media (max-width: 40rem) {
  .passed thead { display: none; }
  .passed tr { display: block; border-bottom: 1px solid var(--line); padding: .5rem 0; }
  .passed td { display: block; border: 0; padding: .05rem .75rem; }
  .passed td[data-label]::before { content: attr(data-label) " "; color: var(--dim); }
}
"""


def write(gate: str, results: list[ExpectationResult], reports: Path) -> GateReport:
    """Write `gates/<gate>.html`, its results as JSON beside it, and `gates/index.html`; return the report.

    Parameters
    ----------
    gate : the gate.
    results : in the order that they were checked.
    reports : folder of all reports of the shop.
    """
    folder = reports / "gates"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{gate}.html"
    report = GateReport(gate, not any(result.blocks for result in results), results, path)
    checked_at = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    summary = {
        "gate": gate,
        "success": report.success,
        "checked_at": checked_at,
        "failed": len(report.failures),
        "warnings": len(report.warnings),
        "held": sum(result.success for result in results),
        "results": [asdict(result) for result in results],
    }
    _replace(folder / f"{gate}.json", json.dumps(summary, indent=1, default=str, ensure_ascii=False))
    _replace(path, _gate_page(report, checked_at))
    _replace(folder / "index.html", _index_page(folder, (reports / "data_docs" / "index.html").exists()))
    return replace(report, report_path=path)


def _gate_page(report: GateReport, checked_at: str) -> str:
    parts = [
        f'<div class="head"><h1>Gate: {escape(report.gate)}</h1>{_verdict(report.success, len(report.warnings))}</div>',
        f'<p class="dim">{_counts(report)} · checked {checked_at}</p>',
        _navigation(report.gate),
    ]
    if report.failures:
        parts += ["<h2>Failed</h2>", *(_card(result, "bad") for result in report.failures)]
    if report.warnings:
        parts += ["<h2>Warnings</h2>", *(_card(result, "warn") for result in report.warnings)]
    passed = [result for result in report.results if result.success]
    if passed:
        parts += [f"<h2>Held ({len(passed)})</h2>", _passed_table(passed)]
    return _page(f"Gate {report.gate}", parts)


def _index_page(folder: Path, has_data_docs: bool) -> str:
    summaries = [_summary(folder, gate) for gate in GATES]
    checked = [summary for summary in summaries if summary]
    failed = [summary for summary in checked if not summary["success"]]
    verdict = "bad" if failed else "good"
    said = f"{len(checked)} of {len(GATES)} checked, all passed"
    if failed:
        said = f"{len(failed)} of {len(checked)} failed"
    items = [_index_item(gate, summary) for gate, summary in zip(GATES, summaries, strict=True)]
    docs = (
        '<p class="dim">The same results as <a href="../data_docs/index.html">Great Expectations Data Docs</a> '
        "(their pages load styles from the net and look plain without it).</p>"
        if has_data_docs
        else ""
    )
    return _page(
        "Gates",
        [
            f'<div class="head"><h1>Gates</h1><span class="chip {verdict}">{said}</span></div>',
            '<p class="dim">One gate stands after each stage; when it fails, nothing downstream changes.</p>',
            f'<ol class="chain">{"".join(items)}</ol>',
            docs,
        ],
    )


def _index_item(gate: str, summary: dict[str, Any] | None) -> str:
    if summary is None:
        return (
            f'<li class="card"><div class="head"><h3>{escape(gate)}</h3>'
            '<span class="chip none">not checked</span></div></li>'
        )
    state = "good" if summary["success"] else "bad"
    first = next((r for r in summary["results"] if not r["success"] and r["severity"] == "critical"), None)
    reason = (
        f'<p class="dim">{escape(first["table_name"])}: {escape(first["expectation"])}: '
        f"observed {escape(first['observed_value'])}, expected {escape(first['threshold'])}</p>"
        if first
        else ""
    )
    total = len(summary["results"])
    return (
        f'<li><a href="{gate}.html"><div class="card is-{state}"><div class="head"><h3>{escape(gate)}</h3>'
        f"{_verdict(summary['success'], summary['warnings'])}"
        f'<span class="dim">{summary["held"]} of {total} held · {escape(summary["checked_at"])}</span></div>'
        f"{reason}</div></a></li>"
    )


def _summary(folder: Path, gate: str) -> dict[str, Any] | None:
    path = folder / f"{gate}.json"
    if not path.exists():
        return None
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def _card(result: ExpectationResult, state: str) -> str:
    step = result.next_step or NEXT_STEP[result.gate]
    facts = "".join(
        f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
        for name, value in (("Observed", result.observed_value), ("Expected", result.threshold))
    )
    return (
        f'<section class="card is-{state}"><h3>{escape(result.expectation)}</h3>'
        f"<code>{_breakable(result.where)}</code>"
        f'<dl class="facts">{facts}</dl>{_rows_table(result.sample_rows)}'
        f'<p class="next"><span class="dim">Next:</span> <code>{escape(step)}</code></p></section>'
    )


def _breakable(name: str) -> str:
    """A dotted name that a narrow column breaks after a dot or an underscore, not within a word."""
    return escape(name).replace(".", ".<wbr>").replace("_", "_<wbr>")


def _rows_table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    names = list(rows[0])
    numeric = {name for name in names if all(_is_number(row.get(name)) for row in rows)}
    head = "".join(f"<th{' class=number' if name in numeric else ''}>{escape(str(name))}</th>" for name in names)
    body = "".join(f"<tr>{''.join(_value_cell(row.get(name)) for name in names)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _value_cell(value: object) -> str:
    if value is None:
        return '<td class="dim">null</td>'
    if _is_number(value):
        return f"<td class=number>{number_text(value)}</td>"
    return f"<td>{escape(str(value))}</td>"


def _is_number(value: object) -> bool:
    return value is None or (isinstance(value, int | float | Decimal) and not isinstance(value, bool))


def _passed_table(results: Iterable[ExpectationResult]) -> str:
    body = "".join(
        f"<tr><td>{escape(result.expectation)}</td>"
        f"<td><code>{_breakable(result.where)}</code></td>"
        f'<td data-label="observed">{escape(result.observed_value)}</td>'
        f'<td data-label="expected">{escape(result.threshold)}</td></tr>'
        for result in results
    )
    return (
        '<div class="card" style="padding:0"><table class="passed"><thead><tr><th>Expectation</th><th>Table</th>'
        f"<th>Observed</th><th>Expected</th></tr></thead><tbody>{body}</tbody></table></div>"
    )


def _navigation(current: str) -> str:
    links = "".join(
        f'<a href="{gate}.html"{" aria-current=page" if gate == current else ""}>{gate}</a>' for gate in GATES
    )
    return f'<nav><a href="index.html">all gates</a>{links}</nav>'


def _verdict(success: bool, warnings: int) -> str:
    chips = ['<span class="chip good">passed</span>' if success else '<span class="chip bad">failed</span>']
    if warnings:
        chips.append(f'<span class="chip warn">{warnings} warning{"s" if warnings > 1 else ""}</span>')
    return "".join(chips)


def _counts(report: GateReport) -> str:
    held = sum(result.success for result in report.results)
    return f"{held} of {len(report.results)} expectations held"


def _page(title: str, parts: Iterable[str]) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(part for part in parts if part)}\n</main></body></html>\n"
    )


def _replace(path: Path, text: str) -> None:
    """Write whole files only: a browser that reloads never sees half a page."""
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
