"""Data quality: every gate with its expectations, and what was set aside on the way."""

from __future__ import annotations

from typing import Any

from pages.page import Page
from pages.published import Published, Row, Shop

_GATES = """
select gate, expectation, table_name, column_name, success, observed_value, threshold, severity, run_at
from rpt_data_quality
order by run_at, gate, success, table_name, expectation, column_name
"""
_QUARANTINE = """
select landing_table, load_source, load_date, reason, is_routine, row_count, landed_row_count, row_share
from rpt_quarantine order by is_routine, row_count desc, landing_table, reason
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the gates."""
    gates: dict[str, list[Row]] = {}
    for row in published.rows(_GATES):
        gates.setdefault(row["gate"], []).append(row)
    told = [row for rows in gates.values() for row in rows if not row["success"]]
    context: dict[str, Any] = {
        "gates": [
            {"name": name, "rows": rows, "held": sum(row["success"] for row in rows), "run_at": rows[0]["run_at"]}
            for name, rows in gates.items()
        ],
        "count": sum(len(rows) for rows in gates.values()),
        "told": told,
        "set_aside": published.rows(_QUARANTINE),
    }
    return Page("quality.html", "Data quality", "quality.html.j2", context)
