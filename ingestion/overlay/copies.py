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

MAX_REPETITIONS = 3
ORDER_KEY = "(person_no * 262144 + order_no)"
"""SQL: a number of its own for each person and order of theirs."""


def person_orders_sql(plan: OverlayPlan, columns: str = "", where: str = "true", pairs: str | None = None) -> str:
    """Query: (person_no, order_no, repetition, order_id, occurred_at) of the orders of people.

    Parameters
    ----------
    columns
        More columns, of people or base_orders.
    where
        Condition on columns of people and base_orders; tried before anything is computed.
    pairs
        A relation (person_no, order_no): only these; by default all orders of all people.
    """
    more = f", {columns}" if columns else ""
    joined = (
        "base_orders join people on people.household_loyalty_id = base_orders.loyalty_id"
        if pairs is None
        else f"{pairs} as pairs join people using (person_no) join base_orders using (order_no)"
    )
    kept = """
        people.* exclude (loyalty_id), people.loyalty_id as card, order_no, base_orders.order_id as real_order_id,
        store_id, local_minute, base_orders.occurred_at as real_at
    """
    if plan.scale == 1:
        return f"""
            select person_no, order_no, 0 as repetition, real_order_id as order_id, real_at as occurred_at{more}
            from (select {kept} from {joined} where {where})
        """
    draws = plan.draws
    weeks = f"({draws.below('weeks', 'person_no', 2 * MAX_WEEKS + 1)} - {MAX_WEEKS})"
    minutes = f"({draws.below('minutes', ORDER_KEY, 2 * MAX_MINUTES + 1)} - {MAX_MINUTES})"
    inside = f"local_minute + {minutes} between 0 and 1439"
    return f"""
        select
            person_no, order_no, repetition,
            cast({FIRST_ORDER_ID} + (person_no * 4096 + order_no - first_order_no) * 4 + repetition as varchar) as order_id,
            (case
                when moved_at_all < timestamp '{PERIOD_START}' then moved_at_all + to_days({7 * WHOLE_WEEKS})
                when moved_at_all >= timestamp '{PERIOD_END}' then moved_at_all - to_days({7 * WHOLE_WEEKS})
                else moved_at_all
            end) + to_minutes(case when {inside} then {minutes} else 0 end) as occurred_at{more}
        from (
            select
                {kept},
                case when is_mailed then real_at else real_at + to_days(cast(7 * {weeks} as integer)) end
                    as moved_at_all,
                unnest(range({taken_sql(plan)})) as repetition
            from {joined}
            where {where}
        )
    """


def taken_sql(plan: OverlayPlan) -> str:
    """SQL: how often a person's copy takes the order `order_no` of the household: 0, 1, 2 …; `intensity` on average."""
    drawn = plan.draws.unit("taken", ORDER_KEY)
    return f"least({MAX_REPETITIONS}, cast(floor(intensity + {drawn}) as bigint))"
