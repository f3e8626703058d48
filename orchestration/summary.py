"""The short table that ends a run in the terminal, read from what was published."""

from __future__ import annotations

import duckdb
from rich import box
from rich.console import Console
from rich.table import Table

from ingestion import LandingZone
from orchestration.publishing import DATABASE_FILE
from orchestration.stages import STAGES
from shops import ShopFolders

TEXT_COLUMNS = frozenset({"note", "beside"})


def print_summary(folders: ShopFolders, console: Console) -> None:
    """Segments with size, spend and name; the models' hold-out figures; the gates; where to go next."""
    database = folders.shown(folders.current / DATABASE_FILE)
    with duckdb.connect(str(folders.current / DATABASE_FILE), read_only=True) as connection:
        console.print(_segments(connection))
        console.print(_models(connection))
        console.print(_gates(connection), highlight=False, soft_wrap=True)
        for line in (*_set_aside(connection), *_switched_off(folders)):
            console.print(line, highlight=False, soft_wrap=True)
    console.print(f"published  {database} (schema marts), Parquet beside it", highlight=False, soft_wrap=True)
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
    for name, kind, members, share, spend, spend_share, verdict in connection.execute(
        "select segment_name, segment_type, member_count, customer_share, total_spend, spend_share, size_verdict "
        "from marts.rpt_segment_summary order by segment_type desc, member_count desc"
    ).fetchall():
        note = kind if kind == "cluster" else "" if verdict == "ok" else verdict
        table.add_row(name, f"{members:,}", f"{share:.0%}", f"{spend:,.0f}", f"{spend_share or 0:.0%}", note)
    return table


def _models(connection: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Models on their hold-out (ROC-AUC)", "model, slice", "model", "95% interval", "beside")
    rows = connection.execute(
        "select model_name, slice, any_value(value), any_value(ci_low), any_value(ci_high), "
        "list(row(baseline_name, baseline) order by baseline) filter (baseline_name <> 'base_rate') "
        "from marts.rpt_model_performance where metric = 'roc_auc' and slice not like 'mailed, %' "
        "group by all order by model_name, any_value(is_champion) desc, slice"
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


def _set_aside(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """One line where rows went to quarantine for more than being repeated; they are counted in `rpt_quarantine`."""
    rows = connection.execute(
        "select landing_table, reason, sum(row_count)::bigint from marts.rpt_quarantine where not is_routine "
        "group by all order by 3 desc, 1, 2"
    ).fetchall()
    if not rows:
        return []
    table, reason, most = rows[0]
    total = sum(count for *_, count in rows)
    return [f"set aside  {total:,} rows in quarantine, most of them {most:,} of {table}: {reason} (rpt_quarantine)"]


def _switched_off(folders: ShopFolders) -> list[str]:
    """A line for all that is off because an optional landing table has no rows."""
    off = LandingZone(folders.landing).switched_off()
    return [
        f"off        {reason}: {tables} {'has' if ',' not in tables else 'have'} no rows"
        for reason, tables in off.items()
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
