"""Paths through the web shop: what leads to an order, and where people leave."""

from __future__ import annotations

from typing import Any

from pages.page import Page
from pages.published import Published, Shop
from pages.words import share_of

PATHS = 8
STEPS = {
    "home": "home page",
    "search": "search",
    "category": "category",
    "product": "product",
    "reading": "review or tutorial",
    "cart": "cart",
    "checkout": "checkout",
    "order": "order",
    "account": "account",
    "other": "other page",
}

_FUNNEL = """
select
    coalesce(sum(session_count), 0) as visits,
    coalesce(sum(session_count) filter (is_product_seen or is_cart_filled or is_checkout_begun or is_ordered), 0)
        as product,
    coalesce(sum(session_count) filter (is_cart_filled or is_checkout_begun or is_ordered), 0) as cart,
    coalesce(sum(session_count) filter (is_checkout_begun or is_ordered), 0) as checkout,
    coalesce(sum(session_count) filter (is_ordered), 0) as ordered,
    max(window_days) as window_days
from rpt_web_paths
"""
# What comes after an order is no longer the way to it.
_ORDERED = """
select split_part(path, ' > order', 1) || ' > order' as path, cast(sum(session_count) as bigint) as sessions
from rpt_web_paths where is_ordered group by 1 order by sessions desc, path limit ?
"""
_LEFT = """
select path, cast(sum(session_count) as bigint) as sessions
from rpt_web_paths where not is_ordered group by 1 order by sessions desc, path limit ?
"""
_LAST = """
select last_step, cast(sum(session_count) as bigint) as sessions
from rpt_web_paths where not is_ordered group by 1 order by sessions desc, last_step
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the paths."""
    funnel = published.row(_FUNNEL)
    visits, ordered = funnel["visits"], funnel["ordered"]
    left = visits - ordered
    names = (
        ("visits", "Visits"),
        ("product", "saw a product"),
        ("cart", "filled the cart"),
        ("checkout", "began the checkout"),
        ("ordered", "ordered"),
    )
    context: dict[str, Any] = {
        "synthetic": shop.is_synthetic("web_events"),
        "visits": visits,
        "window_days": funnel["window_days"],
        "funnel": [(says, funnel[name], share_of(funnel[name], visits)) for name, says in names],
        "ordered": [_path(row, ordered) for row in published.rows(_ORDERED, PATHS)],
        "left": [_path(row, left) for row in published.rows(_LEFT, PATHS)],
        "last": [
            (STEPS.get(row["last_step"], row["last_step"]), row["sessions"], share_of(row["sessions"], left))
            for row in published.rows(_LAST)
        ],
        "has_web": shop.has("web_events"),
    }
    return Page("paths.html", "Paths", "paths.html.j2", context)


def _path(row: dict[str, Any], whole: int) -> dict[str, Any]:
    steps = [STEPS.get(step, step) for step in row["path"].split(" > ")]
    return {"steps": steps, "sessions": row["sessions"], "share": share_of(row["sessions"], whole)}
