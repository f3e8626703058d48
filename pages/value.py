"""Value: how what customers spent is spread, and what they are expected to spend."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from pages import charts
from pages.page import Page
from pages.published import Published, Shop
from pages.words import money, share_of

BINS = 20
_TENTHS = ("Highest tenth", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th", "9th", "Lowest tenth")

_SPENT = "select cast(total_spend as double) as amount from dim_customers where order_count > 0 order by amount"
_EXPECTED = """
select model_name, horizon_days, list(score order by score) as amounts
from fct_scores where is_current and model_name like 'lifetime_value%' group by all order by horizon_days
"""
_COUNTS = """
select case when order_count >= 10 then '10 or more' else cast(order_count as varchar) end as orders,
    min(order_count) as place, count(*) as customers, sum(total_spend) as spend
from dim_customers where order_count > 0 group by 1 order by place
"""


def page(published: Published, shop: Shop) -> Page:
    """The page of the value of customers."""
    amounts = [row["amount"] for row in published.rows(_SPENT)]
    expected = [
        {"days": days, **_spread(row["amounts"], shop, f"expected to spend in {days} days")}
        for row in published.rows(_EXPECTED)
        for days in [row["horizon_days"]]
    ]
    orders = published.rows(_COUNTS)
    for row in orders:
        row["share"] = share_of(row["customers"], len(amounts))
        row["spend_share"] = share_of(row["spend"], sum(amounts))
    context = {
        "spent": _spread(amounts, shop, "spent so far") if amounts else None,
        "tenths": _tenths(amounts),
        "expected": expected,
        "orders": orders,
    }
    return Page("value.html", "Value", "value.html.j2", context)


def _spread(amounts: list[float], shop: Shop, what: str) -> dict[str, Any]:
    """Middle, mean and a histogram up to the 98th of 100; the rest would press all others into one bar."""
    middle, mean = _at(amounts, 0.5), sum(amounts) / len(amounts)
    bins, beyond = _bins(amounts)
    says = (
        f"Customers by what they {'are ' if what.startswith('expected') else ''}{what}: half up to "
        f"{money(middle, shop.currency)}, on average {money(mean, shop.currency)}"
    )
    return {
        "count": len(amounts),
        "median": middle,
        "mean": mean,
        "high": _at(amounts, 0.9),
        "beyond": beyond,
        "limit": bins[-1]["high"] if bins else None,
        "chart": charts.histogram(bins, says, x=f"{what}, {shop.currency}", y="customers") if bins else None,
    }


def _bins(amounts: list[float]) -> tuple[list[dict[str, float]], int]:
    low, high = min(0.0, amounts[0]), _at(amounts, 0.98)
    if high <= low:
        return [], 0
    width = _round_width((high - low) / BINS)
    start = math.floor(low / width) * width
    count = math.ceil((high - start) / width)
    heights = [0] * count
    beyond = 0
    for amount in amounts:
        place = int((amount - start) // width)
        if place < count:
            heights[place] += 1
        else:
            beyond += 1
    return [
        {"low": start + place * width, "high": start + (place + 1) * width, "count": height}
        for place, height in enumerate(heights)
    ], beyond


def _round_width(width: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= width)


def _at(amounts: list[float], share: float) -> float:
    return amounts[min(len(amounts) - 1, int(share * len(amounts)))]


def _tenths(amounts: list[float]) -> list[tuple[str, float]]:
    """What each tenth of the customers spent of all, the highest first."""
    total = sum(amounts)
    if len(amounts) < 10 or not total:
        return []
    ordered = amounts[::-1]
    edges = [round(place * len(ordered) / 10) for place in range(11)]
    shares = [sum(ordered[low:high]) / total for low, high in pairwise(edges)]
    return list(zip(_TENTHS, shares, strict=True))
