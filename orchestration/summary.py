"""The short table that ends a run in the terminal, read from what was published."""

from __future__ import annotations

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.publishing import DATABASE_FILE
from shops import ShopFolders

# What a reader of the terminal wants first of all the figures in rpt_model_performance.
_SHOWN_METRICS = ("roc_auc", "average_precision", "lift_at_10_percent", "brier")


def print_summary(folders: ShopFolders, console: Console) -> None:
    """Segments with size, spend and name; the models' hold-out figures; the gates; where to go next."""
    database = folders.current / DATABASE_FILE
    with duckdb.connect(str(database), read_only=True) as connection:
        console.print(_segments(connection))
        console.print(_models(connection))
        console.print(_gates(connection))
    console.print(f"published  [bold]{database}[/bold] (schema marts), Parquet beside it", soft_wrap=True)
    console.print("next       make ui: the chain in Dagster, with plots and gates")
    console.print(
        f"           .venv/bin/python -c \"import duckdb; print(duckdb.connect('{database}', read_only=True)"
        ".sql('from marts.rpt_segment_summary'))\"",
        soft_wrap=True,
    )


def _segments(connection: duckdb.DuckDBPyConnection) -> Table:
    table = Table(title="Segments now (they overlap)", title_justify="left")
    for name, justify in (("segment", "left"), ("kind", "left"), ("customers", "right"), ("share", "right"),
                          ("spend", "right"), ("spend share", "right"), ("note", "left")):  # fmt: skip
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    for name, kind, members, share, spend, spend_share, note in connection.execute(
        "select segment_name, segment_type, member_count, customer_share, total_spend, spend_share, size_verdict "
        "from marts.rpt_segment_summary order by segment_type desc, member_count desc"
    ).fetchall():
        table.add_row(
            name, kind, f"{members:,}", f"{share:.0%}", f"{spend:,.0f}", f"{spend_share or 0:.0%}",
            "" if note == "ok" else note,
        )  # fmt: skip
    return table


def _models(connection: duckdb.DuckDBPyConnection) -> Table:
    table = Table(title="Models on their hold-out", title_justify="left")
    for name in ("model", "slice", "metric", "value", "95% interval", "beside"):
        table.add_column(name, justify="right" if name in {"value", "95% interval"} else "left")
    marks = ", ".join("?" for _ in _SHOWN_METRICS)
    rows = connection.execute(
        f"select model_name, slice, metric, any_value(value), any_value(ci_low), any_value(ci_high), "
        f"string_agg(baseline_name || ' ' || printf('%.3f', baseline), ', ' order by baseline_name) "
        f"from marts.rpt_model_performance where metric in ({marks}) and is_champion "
        f"group by all order by model_name, slice, metric",
        list(_SHOWN_METRICS),
    ).fetchall()
    for model, part, metric, value, low, high, beside in rows:
        table.add_row(model, part, metric, _number(value), f"{_number(low)} to {_number(high)}", beside or "")
    return table


def _gates(connection: duckdb.DuckDBPyConnection) -> Table:
    table = Table(title="Gates", title_justify="left")
    for name in ("gate", "expectations that hold", "warnings"):
        table.add_column(name, justify="left" if name == "gate" else "right")
    order = "list_position(['landing','staging','identity','features','scores','segments','marts'], gate)"
    for gate, held, total, warned in connection.execute(
        f"select gate, count(*) filter (success), count(*), count(*) filter (not success) "
        f"from marts.rpt_data_quality group by gate order by {order}"
    ).fetchall():
        table.add_row(gate, f"{held} of {total}", str(warned))
    return table


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
