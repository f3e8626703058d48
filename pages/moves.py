"""Migration: where customers went from one segment to another."""

from __future__ import annotations

from typing import Any

from pages import charts
from pages.page import Page
from pages.published import Published, Shop
from pages.words import day, number

WEEKS = 4
NAMED = 9
NOWHERE, REST = "In no segment", "Other segments"

# Primary segments: each customer is in one of these at most, so that nobody is counted twice at a date.
_MOVES = """
with dates as (
    select as_of_date from fct_segment_transitions group by as_of_date order by as_of_date desc limit ?
)
select
    from_segment_key, to_segment_key,
    coalesce(origin.segment_name, case from_segment_key when 'none' then ? else from_segment_key end) as origin,
    coalesce(target.segment_name, case to_segment_key when 'none' then ? else to_segment_key end) as target,
    cast(sum(customer_count) as bigint) as customers,
    min(previous_as_of_date) as first_day,
    max(as_of_date) as last_day,
    bool_or(is_definition_changed) as is_definition_changed
from fct_segment_transitions as transitions
inner join dates using (as_of_date)
left join dim_segments as origin on from_segment_key = origin.segment_key
left join dim_segments as target on to_segment_key = target.segment_key
group by all
order by customers desc, from_segment_key, to_segment_key
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the moves of the last weeks."""
    rows = published.rows(_MOVES, WEEKS, NOWHERE, NOWHERE)
    moved = [row for row in rows if row["from_segment_key"] != row["to_segment_key"]]
    synthetic = shop.is_synthetic("web_events", "email_events")
    context: dict[str, Any] = {"chart": None, "moved": moved[:30], "synthetic": synthetic}
    if moved:
        first, last = min(row["first_day"] for row in rows), max(row["last_day"] for row in rows)
        total, count = sum(row["customers"] for row in rows), sum(row["customers"] for row in moved)
        context |= {"first": first, "last": last, "total": total, "count": count}
        says = f"{number(count)} moves between segments from {day(first)} to {day(last)}; the table has the largest"
        named = _named(moved)
        context["chart"] = charts.flow(named, says, synthetic=synthetic)
        context["narrow_chart"] = charts.flow(named, says, synthetic=synthetic, is_narrow=True)
    return Page("moves.html", "Moves", "moves.html.j2", context)


def _named(moved: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The largest segments by name, the rest as one: a picture of forty names shows none."""
    named: dict[str, set[str]] = {}
    for side in ("origin", "target"):
        sums: dict[str, int] = {}
        for move in moved:
            sums[move[side]] = sums.get(move[side], 0) + move["customers"]
        named[side] = set(sorted(sums, key=lambda name: (-sums[name], name))[:NAMED])
    together: dict[tuple[str, str], int] = {}
    for move in moved:
        ends = tuple(move[side] if move[side] in named[side] else REST for side in ("origin", "target"))
        pair = (ends[0], ends[1])
        if pair == (REST, REST):
            continue
        together[pair] = together.get(pair, 0) + move["customers"]
    return [{"origin": origin, "target": target, "customers": count} for (origin, target), count in together.items()]
