"""The short table that ends a run in the terminal, read from what was published and what has landed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from ingestion import LandingZone, LoadSummary, read_contract
from orchestration.publishing import DATABASE_FILE
from orchestration.stages import STAGES
from shops import ShopFolders

TEXT_COLUMNS = frozenset({"note", "beside"})
REASONS_SHOWN = 3


def print_summary(folders: ShopFolders, console: Console) -> None:
    """Segments with size, spend and name; the models' hold-out figures; the gates; what is off; where to go next."""
    database = folders.shown(folders.current / DATABASE_FILE)
    with duckdb.connect(str(folders.current / DATABASE_FILE), read_only=True) as connection:
        console.print(_segments(connection))
        for line in silent_segments(connection):
            console.print(line, highlight=False, soft_wrap=True)
        console.print()
        console.print(_models(connection))
        console.print(_gates(connection), highlight=False, soft_wrap=True)
        for line in set_aside(connection):
            console.print(line, highlight=False, soft_wrap=True)
    for line in switched_off(LandingZone(folders.landing).loads()):
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"published  {database} (schema marts), Parquet beside it", highlight=False, soft_wrap=True)
    site = folders.shown(folders.current / "site" / "index.html")
    console.print(f"site       {site}: for marketers, opens in a browser", highlight=False, soft_wrap=True)
    console.print("next       make ui: the chain in Dagster, with plots and gates")
    console.print(
        f"           .venv/bin/python -c \"import duckdb; print(duckdb.connect('{database}', read_only=True)"
        ".sql('from marts.rpt_segment_summary'))\"",
        soft_wrap=True,
    )


def _table(title: str, *columns: str) -> Table:
    """A plain table: the first column is text, numbers stand to the right, nothing is cut off."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 or name in TEXT_COLUMNS else "right", overflow="fold")
    return table


def _segments(connection: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Segments now (they overlap)", "segment", "customers", "share", "spend", "of all", "note")
    for name, kind, members, share, spend, spend_share in connection.execute(
        "select segment_name, segment_type, member_count, customer_share, total_spend, spend_share "
        "from marts.rpt_segment_summary where status = 'ok' order by segment_type desc, member_count desc"
    ).fetchall():
        note = kind if kind == "cluster" else ""
        table.add_row(name, f"{members:,}", f"{share:.0%}", f"{spend:,.0f}", f"{spend_share or 0:.0%}", note)
    return table


def silent_segments(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Lines on segments that say nothing here: by why, with their names."""
    lines: list[str] = []
    for reason, names in connection.execute(
        "select case when status = 'switched off' then 'switched off, ' || status_reason "
        "when status_reason like 'fewer than%' then 'too few to act on' else status_reason end as reason, "
        "list(segment_name order by segment_name) from marts.dim_segments where status <> 'ok' "
        "group by reason order by count(*) desc, reason"
    ).fetchall():
        lines.append(f"{'silent' if not lines else '':<10} {reason}: {', '.join(names)}")
    return lines


def _models(connection: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Models on their hold-out (ROC-AUC)", "model, slice", "model", "95% interval", "beside")
    rows = connection.execute(
        "with shown as (select * from marts.rpt_model_performance semi join ("
        # the champion; where there is none, whoever was judged last
        "select model_name, max_by(model_version, (is_champion::integer, as_of_date)) as model_version "
        "from marts.rpt_model_performance group by model_name) as judged using (model_name, model_version) "
        # the whole hold-out; its types of campaign, segments and groups are in the table
        "where metric = 'roc_auc' "
        "qualify starts_with(slice, 'targeting included') "
        "or rows = max(case when starts_with(slice, 'targeting included') then 0 else rows end) "
        "over (partition by model_name)) "
        "select model_name, slice, any_value(value), any_value(ci_low), any_value(ci_high), "
        "list(row(baseline_name, baseline) order by baseline) filter (baseline_name <> 'base_rate') "
        "from shown group by model_name, slice order by model_name, any_value(is_champion) desc, slice"
    ).fetchall()
    for model, part, value, low, high, baselines in rows:
        beside = ", ".join(f"{name.replace('_', ' ')} {_number(figure)}" for name, figure in baselines or [])
        table.add_row(
            f"{model.replace('_', ' ')}, {part}", _number(value), f"{_number(low)} to {_number(high)}", beside
        )
    return table


def _gates(connection: duckdb.DuckDBPyConnection) -> str:
    gates = connection.execute(
        "select gate, count(*) filter (success), count(*) from marts.rpt_data_quality group by gate "
        "order by list_position(?, gate)",
        [list(STAGES)],
    ).fetchall()
    passed = ", ".join(f"{gate} {held}/{total}" for gate, held, total in gates)
    return f"gates      {passed} expectations hold"


def set_aside(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One line when rows are in quarantine that are wrong, not only repeated; with the most common reasons."""
    reasons = connection.execute(
        "select landing_table, reason, sum(row_count)::bigint from marts.rpt_quarantine where not is_routine "
        "group by all order by 3 desc, 1, 2"
    ).fetchall()
    if not reasons:
        return []
    shown = ", ".join(f"{rows:,} of {table} ({reason})" for table, reason, rows in reasons[:REASONS_SHOWN])
    more = f" and {len(reasons) - REASONS_SHOWN} more" if len(reasons) > REASONS_SHOWN else ""
    total = sum(rows for *_, rows in reasons)
    return [f"set aside  {total:,} rows: {shown}{more}; all in marts.rpt_quarantine"]


def switched_off(loads: Iterable[LoadSummary]) -> list[str]:
    """One line for each thing that is off because an optional landing table has no rows."""
    rows: Counter[str] = Counter()
    for load in loads:
        rows.update(load.rows)
    found = read_contract().switched_off(rows)
    lines = [f"{', '.join(tables)}: {consequence}" for consequence, tables in found.items()]
    return [f"{'without' if number == 0 else '':<11}{line}" for number, line in enumerate(lines)]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
