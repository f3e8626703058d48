"""Orders of the people: at scale 1 the real ones; at a larger scale copies of them, drawn anew.

What a copy does to the real household's orders, so that the shop keeps its shape:

- Each order is taken 0, 1, 2 … times: the person's intensity (mean 1, log-normal) plus a draw, cut to whole numbers.
- Its time moves by up to 45 minutes within its local day. Households that no campaign was mailed to also move by whole
  weeks, the same number for all their orders, around the year: weekdays and rhythm stay. Those that were mailed stay,
  because their redemptions lie on days of orders.
- Amounts move by up to 2 cents a line, the same in gross and net, so that every line still adds up.
"""

from __future__ import annotations

from ingestion.overlay.plan import PERIOD_END, PERIOD_START, OverlayPlan

MAX_WEEKS = 8
MAX_MINUTES = 45
WHOLE_WEEKS = 52
FIRST_ORDER_ID = 50_000_000_000


def person_orders_sql(plan: OverlayPlan, columns: str = "") -> str:
    """Query: (person_no, order_no, order_id, occurred_at) of all orders of all people, with more `columns` of people
    or base_orders."""
    more = f", {columns}" if columns else ""
    if plan.scale == 1:
        return f"""
            select
                people.person_no, base_orders.order_no, cast(base_orders.order_id as varchar) as order_id,
                base_orders.occurred_at{more}
            from people join base_orders on base_orders.loyalty_id = people.household_loyalty_id
        """
    draws = plan.draws
    key = "(person_no * 262144 + order_no)"
    weeks = f"({draws.below('weeks', 'person_no', 2 * MAX_WEEKS + 1)} - {MAX_WEEKS})"
    minutes = f"({draws.below('minutes', key, 2 * MAX_MINUTES + 1)} - {MAX_MINUTES})"
    inside = f"local_minute + {minutes} between 0 and 1439"
    moved = f"occurred_at + to_days(cast(7 * {weeks} as integer))"
    return f"""
        select
            person_no, order_no,
            cast({FIRST_ORDER_ID} + (person_no * 4096 + order_no - first_order_no) * 4 + least(3, repetition) as varchar)
                as order_id,
            (case
                when moved_at_all < timestamp '{PERIOD_START}' then moved_at_all + to_days(7 * {WHOLE_WEEKS})
                when moved_at_all >= timestamp '{PERIOD_END}' then moved_at_all - to_days(7 * {WHOLE_WEEKS})
                else moved_at_all
            end) + to_minutes(case when {inside} then {minutes} else 0 end) as occurred_at{more}
        from (
            select
                people.*, base_orders.* exclude (loyalty_id, order_id),
                case when is_mailed then base_orders.occurred_at else {moved} end as moved_at_all,
                unnest(range(least(3, cast(floor(intensity + {draws.unit('taken', key)}) as bigint)))) as repetition
            from base_orders
            join people on people.household_loyalty_id = base_orders.loyalty_id
        )
    """
