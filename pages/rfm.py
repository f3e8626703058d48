"""The RFM grid: when customers last bought, against how often."""

from __future__ import annotations

from typing import Any

from pages.page import Page
from pages.published import Published, Shop
from pages.words import share_of

_GRID = """
select
    last_order_score, order_count_score,
    cast(sum(customer_count) as bigint) as customers,
    sum(total_spend) as spend,
    arg_max(rfm_cell, customer_count) as cell
from rpt_rfm_grid
group by last_order_score, order_count_score
"""
_CELLS = """
select rfm_cell, cast(sum(customer_count) as bigint) as customers, sum(total_spend) as spend
from rpt_rfm_grid group by rfm_cell order by spend desc, rfm_cell
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the grid."""
    found = {(row["last_order_score"], row["order_count_score"]): row for row in published.rows(_GRID)}
    most = max((row["customers"] for row in found.values()), default=0)
    grid = [
        (recency, [_cell(found.get((recency, orders)), most) for orders in range(1, 6)]) for recency in range(5, 0, -1)
    ]
    cells = published.rows(_CELLS)
    customers, spend = sum(row["customers"] for row in cells), sum(row["spend"] or 0 for row in cells)
    for row in cells:
        row["customer_share"] = share_of(row["customers"], customers)
        row["spend_share"] = share_of(row["spend"], spend)
    context = {"grid": grid if found else [], "cells": cells, "total": customers}
    return Page("rfm.html", "RFM grid", "rfm.html.j2", context)


def _cell(row: dict[str, Any] | None, most: int) -> dict[str, Any]:
    if row is None:
        return {"customers": 0, "spend": None, "cell": "", "weight": 0}
    return {**row, "weight": round(100 * row["customers"] / most)}
