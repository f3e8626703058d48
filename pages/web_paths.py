"""Paths through the web shop: what leads to an order, and where people leave; of all, and of a segment's members."""

from __future__ import annotations

from typing import Any

from pages.page import Page
from pages.published import Published, Row, Shop
from pages.words import share_of

PATHS, PATHS_OF_SEGMENT = 8, 4
# How far a visit goes: who came to a later step is counted at the earlier ones, too.
FUNNEL = (
    ("visits", "Visits"),
    ("product", "saw a product"),
    ("cart", "filled the cart"),
    ("checkout", "began the checkout"),
    ("ordered", "ordered"),
)
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
# Paths that are rare in a segment have no name there; they count for how far its visits go.
_OF_SEGMENTS = """
select segment_key, path, furthest_step, window_days, session_count as sessions
from rpt_segment_web_paths order by segment_key, sessions desc, path
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the paths."""
    funnel = published.row(_FUNNEL)
    visits, ordered = funnel["visits"], funnel["ordered"]
    left = visits - ordered
    context: dict[str, Any] = {
        "synthetic": shop.is_synthetic("web_events"),
        "visits": visits,
        "window_days": funnel["window_days"],
        "funnel": _steps(funnel),
        "ordered": [_path(row, ordered) for row in published.rows(_ORDERED, PATHS)],
        "left": [_path(row, left) for row in published.rows(_LEFT, PATHS)],
        "last": [
            (STEPS.get(row["last_step"], row["last_step"]), row["sessions"], share_of(row["sessions"], left))
            for row in published.rows(_LAST)
        ],
        "has_web": shop.has("web_events"),
    }
    return Page("paths.html", "Paths", "paths.html.j2", context)


def of_segments(published: Published) -> dict[str, dict[str, Any]]:
    """How far visits of members go and their ways, by segment; none of a segment that has too few visitors."""
    rows: dict[str, list[Row]] = {}
    for row in published.rows(_OF_SEGMENTS):
        rows.setdefault(row["segment_key"], []).append(row)
    return {segment_key: _of_segment(found) for segment_key, found in rows.items()}


def _of_segment(rows: list[Row]) -> dict[str, Any]:
    counts, so_far = {}, 0
    for (name, _), step in zip(reversed(FUNNEL), ("order", "checkout", "cart", "product", "visit"), strict=True):
        so_far += sum(row["sessions"] for row in rows if row["furthest_step"] == step)
        counts[name] = so_far
    visits, ordered = counts["visits"], counts["ordered"]
    named = [row for row in rows if row["path"] != "rare"]
    to_order = [row for row in named if row["furthest_step"] == "order"][:PATHS_OF_SEGMENT]
    away = [row for row in named if row["furthest_step"] != "order"][:PATHS_OF_SEGMENT]
    return {
        "window_days": rows[0]["window_days"],
        "funnel": _steps(counts),
        "ordered": [_path(row, ordered) for row in to_order],
        "left": [_path(row, visits - ordered) for row in away],
    }


def _steps(counts: Row) -> list[tuple[str, int, float | None]]:
    """How far visits go: in words, how many, and their share of all."""
    return [(says, counts[name], share_of(counts[name], counts["visits"])) for name, says in FUNNEL]


def _path(row: Row, whole: int) -> dict[str, Any]:
    steps = [STEPS.get(step, step) for step in row["path"].split(" > ")]
    return {"steps": steps, "sessions": row["sessions"], "share": share_of(row["sessions"], whole)}
