"""The first page: all segments with size, spend and trend."""

from __future__ import annotations

from pages.page import Page
from pages.published import Published, Row, Shop
from pages.segments import Card, cards

_TOTALS = """
select
    (select count(*) from dim_customers) as customers,
    (select count(*) from dim_customers where order_count > 0) as buyers,
    (select count(*) from fct_orders where is_purchase) as orders,
    (select sum(total_after_returns) from fct_orders) as sales,
    (select count(distinct customer_id) from fct_segment_memberships) as in_a_segment,
    (select count(*) from fct_segment_memberships) as memberships
"""
_SPARK_WEEKS = 26


def page(published: Published, shop: Shop) -> Page:
    """The overview."""
    found = cards(published)
    speaking = [card for card in found if not card.is_silent]
    groups = [
        ("By rule", "Somebody wrote down who belongs to them.", _of(speaking, "rule")),
        (
            "By likeness",
            "A model found customers who shop alike; each customer is in one of the broad groups.",
            _of(speaking, "cluster"),
        ),
    ]
    return Page(
        "index.html",
        "Segments",
        "overview.html.j2",
        {
            "totals": published.row(_TOTALS),
            "groups": [group for group in groups if group[2]],
            "silent": [card for card in found if card.is_silent],
            "trends": {card.segment_key: _spark(card.flows) for card in found},
        },
        section="index.html",
    )


def _of(found: list[Card], kind: str) -> list[Card]:
    return sorted((card for card in found if card.segment_type == kind), key=lambda card: -card.member_count)


def _spark(flows: list[Row]) -> str:
    """Points of a small line of the last half year, in a box of 100 by 24; empty when there is nothing to draw."""
    values = [flow["members"] for flow in flows[-_SPARK_WEEKS:]]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    spread = (high - low) or 1
    return " ".join(
        f"{2 + 96 * place / (len(values) - 1):.1f},{22 - 20 * (value - low) / spread:.1f}"
        for place, value in enumerate(values)
    )
