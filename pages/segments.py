"""A page a segment: the card with all that a marketer asks before acting, and how it got here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pages import charts, web_paths
from pages.page import Page, segment_file
from pages.published import Published, Row
from pages.words import day, number, share_of

# Weeks that say what a usual change is, and how many of them are needed to say it.
USUAL_WEEKS = 26
MIN_WEEKS = 8
# Of fewer members than this no example is shown: it would show the one whom somebody knows.
MIN_MEMBERS_FOR_EXAMPLES = 5
EXAMPLES = 3

_CARDS = """
select
    dim_segments.*,
    summary.as_of_date,
    summary.total_spend,
    summary.spend_90d,
    summary.spend_share,
    summary.mean_order_value,
    summary.median_days_since_last_order,
    responses.* exclude (segment_key)
from dim_segments
left join rpt_segment_summary as summary using (segment_key)
left join rpt_segment_responses as responses using (segment_key)
order by dim_segments.priority, dim_segments.segment_key
"""

_FLOWS = """
select segment_key, as_of_date as day, previous_as_of_date as day_before, member_count as members,
    entered_count as entered, exited_count as exited, is_definition_changed, is_reconstructed
from fct_segment_flows
order by segment_key, as_of_date
"""

# What is usual: between the 10th and the 90th of 100 week-to-week changes, by the same definition, before the last one.
_CHANGES = f"""
with changes as (
    select
        segment_key,
        as_of_date,
        member_count - lag(member_count) over (partition by segment_key order by as_of_date) as change,
        as_of_date - previous_as_of_date as days,
        is_definition_changed,
        row_number() over (partition by segment_key order by as_of_date desc) as age
    from fct_segment_flows
)
select
    segment_key,
    max(case when age = 1 then change end) as change,
    max(case when age = 1 then days end) as days,
    bool_or(age = 1 and is_definition_changed) as is_definition_changed,
    count(*) filter (usual) as week_count,
    quantile_cont(change, 0.1) filter (usual) as usual_low,
    quantile_cont(change, 0.9) filter (usual) as usual_high
from (
    select
        *,
        age between 2 and {USUAL_WEEKS + 1} and days = 7 and not is_definition_changed and change is not null as usual
    from changes
)
group by segment_key
"""

# Those nearest to the middle of the segment, by their places among all members in four respects. No names, no
# addresses: what they did, and the bands that the shop keeps of everybody.
_EXAMPLES = f"""
with members as (
    select
        memberships.segment_key,
        customers.*,
        shop.as_of_date - customers.last_order_date as days_since_last_order,
        percent_rank() over (partition by memberships.segment_key order by customers.order_count) as orders_place,
        percent_rank() over (partition by memberships.segment_key order by customers.total_spend) as spend_place,
        percent_rank() over (partition by memberships.segment_key order by customers.last_order_date) as last_place,
        percent_rank() over (partition by memberships.segment_key order by customers.first_order_date) as first_place,
        count(*) over (partition by memberships.segment_key) as member_count
    from fct_segment_memberships as memberships
    inner join dim_customers as customers using (customer_id)
    cross join rpt_shop as shop
    where customers.order_count > 0
)
select segment_key, customer_id, order_count, total_spend, days_since_last_order, first_order_date, rfm_cell, age_band,
    household_composition
from members
where member_count >= {MIN_MEMBERS_FOR_EXAMPLES}
qualify row_number() over (
    partition by segment_key
    order by
        abs(orders_place - 0.5) + abs(spend_place - 0.5) + abs(last_place - 0.5) + abs(first_place - 0.5), customer_id
) <= {EXAMPLES}
"""

_OVERLAPS = """
select shared.segment_key, shared.other_segment_key, other.segment_name, shared_count, share_of_segment
from rpt_segment_overlaps as shared
inner join dim_segments as other on shared.other_segment_key = other.segment_key
qualify row_number() over (
    partition by shared.segment_key order by shared_count desc, shared.other_segment_key
) <= 6
order by shared.segment_key, shared_count desc, shared.other_segment_key
"""

# Only what noise does not explain: the interval, which holds for all comparisons at once, leaves out 1.
_PEOPLE = """
select segment_key, attribute, attribute_value, representation, member_share, customer_share
from rpt_segment_representation
where representation_low > 1 or representation_high < 1
qualify row_number() over (
    partition by segment_key order by abs(ln(greatest(representation, 0.01))) desc, attribute, attribute_value
) <= 6
order by segment_key, representation desc, attribute, attribute_value
"""


@dataclass(frozen=True)
class Change:
    """The last change of a segment's size beside what is usual."""

    change: int | None
    days: int | None
    low: float | None
    high: float | None
    weeks: int
    is_definition_changed: bool

    @property
    def in_words(self) -> str:
        """One sentence for the card."""
        if self.change is None:
            return "There is no earlier count to compare with."
        if self.is_definition_changed:
            return "The rule or the model changed since: not only customers did."
        if self.low is None or self.high is None or self.weeks < MIN_WEEKS:
            return f"What is usual is known after {MIN_WEEKS} weeks; there are {self.weeks}."
        usual = f"usual is between {number(round(self.low))} and {number(round(self.high))} a week"
        if self.days != 7:
            return f"In {self.days} days; {usual}."
        if self.change > self.high:
            return f"More than usual: {usual}."
        if self.change < self.low:
            return f"Less than usual: {usual}."
        return f"As usual: {usual}."


@dataclass(frozen=True)
class Card:
    """A segment with all its figures, as the pages show them."""

    row: Row
    change: Change
    flows: list[Row]
    examples: list[Row]
    overlaps: list[Row]
    people: list[Row]
    paths: dict[str, Any] | None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.row[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def file(self) -> str:
        """File of its page."""
        return segment_file(self.row["segment_key"])

    @property
    def is_silent(self) -> bool:
        """Whether it says nothing here: too small, nearly everybody, switched off or ended."""
        return bool(self.row["status"] != "ok")

    @property
    def rates(self) -> dict[str, float | None]:
        """Conversion, clicks, dwell and bounces; None where nothing has landed, or nobody did anything."""
        row = self.row
        return {
            "mailable": share_of(row["mailable_count"], row["member_count"]),
            "bought": share_of(row["buyer_count_28d"], row["member_count"]),
            "ordering": share_of(row["ordering_session_count"], row["session_count"]),
            "clicks": share_of(row["mail_clicked_count"], row["mail_sent_count"]),
            "dwell": share_of(row["dwell_seconds"], row["session_count"]),
            "bounce": share_of(row["bounced_session_count"], row["session_count"]),
        }


@lru_cache(maxsize=1)  # the overview and the segments' own pages ask for the same
def cards(published: Published) -> list[Card]:
    """All segments in the order of their priority."""
    flows = _by_segment(published.rows(_FLOWS))
    changes = {row["segment_key"]: row for row in published.rows(_CHANGES)}
    examples = _by_segment(published.rows(_EXAMPLES))
    overlaps = _by_segment(published.rows(_OVERLAPS))
    people = _by_segment(published.rows(_PEOPLE))
    paths = web_paths.of_segments(published)
    return [
        Card(
            row,
            _change(changes.get(row["segment_key"], {})),
            flows.get(row["segment_key"], []),
            examples.get(row["segment_key"], []),
            overlaps.get(row["segment_key"], []),
            people.get(row["segment_key"], []),
            paths.get(row["segment_key"]),
        )
        for row in published.rows(_CARDS)
    ]


def pages(published: Published) -> list[Page]:
    """One page a segment."""
    found = cards(published)
    return [
        Page(
            card.file,
            card.segment_name,
            "segment.html.j2",
            {"card": card, "chart": _chart(card), "parents": _related(card, found)},
            section="index.html",
        )
        for card in found
    ]


def _related(card: Card, found: list[Card]) -> list[Card]:
    return [other for other in found if other.segment_key == card.row["parent_segment_key"]]


def _chart(card: Card) -> Any:
    if len(card.flows) < 2 or not any(flow["members"] for flow in card.flows):
        return None
    first, last = card.flows[0], card.flows[-1]
    says = (
        f"Members of {card.segment_name} from {day(first['day'])}, {number(first['members'])}, to {day(last['day'])}, "
        f"{number(last['members'])}, with how many came and left at each date"
    )
    return charts.membership(
        [{name: flow[name] for name in ("day", "members", "entered", "exited")} for flow in card.flows],
        says,
        synthetic=card.is_synthetic,
    )


def _change(row: Row) -> Change:
    return Change(
        row.get("change"),
        row.get("days"),
        row.get("usual_low"),
        row.get("usual_high"),
        row.get("week_count", 0),
        bool(row.get("is_definition_changed")),
    )


def _by_segment(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["segment_key"], []).append(row)
    return found
