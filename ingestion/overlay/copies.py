"""Orders of the people: at scale 1 the real ones; at a larger scale copies of them, drawn anew.

What a copy does to the real household's orders, so that the shop keeps its shape:

- Each order is taken 0, 1, 2 … times: the person's intensity (mean 1, log-normal) plus a draw, cut to whole numbers.
  What is taken again lies a week later each time.
- Its time moves by up to 45 minutes within its local day. Households that no campaign was mailed to also move by whole
  weeks, the same number for all their orders, around the year: weekdays and rhythm stay. Those that were mailed stay,
  because their redemptions lie on days of orders.
- Amounts move by up to 2 cents a line, the same in gross and net, so that every line still adds up.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ingestion.overlay.plan import PERIOD_END, PERIOD_START, ZONE, OverlayPlan

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
    minutes = f"({draws.below('minutes', f'({ORDER_KEY} * 4 + repetition)', 2 * MAX_MINUTES + 1)} - {MAX_MINUTES})"
    inside = f"local_minute + {minutes} between 0 and 1439"
    return f"""
        select
            person_no, order_no, repetition,
            cast({FIRST_ORDER_ID} + (person_no * 4096 + order_no - first_order_no) * 4 + repetition as varchar)
                as order_id,
            (case
                when moved_at_all < timestamp '{PERIOD_START}' then moved_at_all + to_days({7 * WHOLE_WEEKS})
                when moved_at_all >= timestamp '{PERIOD_END}' then moved_at_all - to_days({7 * WHOLE_WEEKS})
                else moved_at_all
            end) + to_minutes(case when {inside} then {minutes} else 0 end) as occurred_at{more}
        from (
            select
                *,
                -- An order that is taken once more is one of a week later.
                real_at + to_days(cast(7 * (repetition + if(is_mailed, 0, {weeks})) as integer)) as moved_at_all
            from (
                select {kept}, unnest(range({taken_sql(plan)})) as repetition
                from {joined}
                where {where}
            )
        )
    """


def taken_sql(plan: OverlayPlan, order_no: str = "order_no") -> str:
    """SQL: how often a person's copy takes an order of the household: 0, 1, 2 …; `intensity` on average."""
    drawn = plan.draws.unit("taken", ORDER_KEY.replace("order_no", order_no))
    return f"least({MAX_REPETITIONS}, cast(floor(intensity + {drawn}) as bigint))"


def copied_tables(
    connection: duckdb.DuckDBPyConnection, plan: OverlayPlan, base: Mapping[str, str]
) -> Mapping[str, str]:
    """Queries of the shop's landing tables for the people instead of the households, after `generate`.

    Products, campaigns and coupons stay as they are. Members, orders, lines, mailings and redemptions are copies.
    """
    draws = plan.draws
    connection.execute(f"""
        create or replace temp table copy_lines as
        select order_no, lines.* exclude (order_id, occurred_at, known_at)
        from ({base["order_lines"]}) as lines
        join base_orders on base_orders.order_id = cast(lines.order_id as varchar)
    """)
    connection.execute(f"""
        create or replace temp table copy_members as
        select * replace (cast(loyalty_id as varchar) as loyalty_id) from ({base["loyalty_members"]})
    """)
    # A redemption is kept where the copy took an order of that day, so that no coupon comes without its order.
    connection.execute(f"""
        create or replace temp table copy_redemptions as
        select *, row_number() over (order by loyalty_id, coupon_id, redeemed_on) as redemption_no from (
        select
            cast(redemptions.loyalty_id as varchar) as loyalty_id, coupon_id, campaign_id, redeemed_on,
            redemptions.occurred_at,
            redemptions.known_at, min(order_no) as order_no
        from ({base["coupon_redemptions"]}) as redemptions
        left join base_orders
            on base_orders.loyalty_id = cast(redemptions.loyalty_id as varchar)
            and cast(timezone('{ZONE}', timezone('UTC', base_orders.occurred_at)) as date)
                = cast(redemptions.redeemed_on as date)
        group by all
        )
    """)
    cents = f"({draws.below('cents', f'{ORDER_KEY} * 256 + line_number % 256', 5)} - 2) / 100"
    moved = f"case when quantity > 0 and net_amount >= 0.1 then cast({cents} as decimal(18, 2)) else 0 end"
    orders = person_orders_sql(plan, "card, store_id")
    return {
        "loyalty_members": """
            select copy_members.* replace (people.loyalty_id as loyalty_id)
            from people join copy_members on copy_members.loyalty_id = people.household_loyalty_id
        """,
        "products": base["products"],
        "orders": f"""
            select
                order_id, card as loyalty_id, store_id, 'main' as brand, 'store' as channel, 'completed' as status,
                'USD' as currency, '{ZONE}' as business_timezone, occurred_at, occurred_at as known_at
            from ({orders})
        """,
        "order_lines": f"""
            select
                orders.order_id, line_number, product_id, line_type, quantity,
                gross_amount + {moved} as gross_amount, retail_discount, coupon_discount, coupon_match_discount,
                tax_amount, net_amount + {moved} as net_amount, unit_cost, original_order_id,
                orders.occurred_at, orders.occurred_at as known_at
            from ({person_orders_sql(plan)}) as orders join copy_lines using (order_no)
        """,
        "campaigns": base["campaigns"],
        "campaign_recipients": f"""
            select campaign_id, people.loyalty_id, occurred_at, known_at
            from ({base["campaign_recipients"]}) as recipients
            join people on people.household_loyalty_id = cast(recipients.loyalty_id as varchar)
        """,
        "coupons": base["coupons"],
        "coupon_redemptions": f"""
            select people.loyalty_id, coupon_id, campaign_id, redeemed_on, occurred_at, known_at
            from copy_redemptions join people on people.household_loyalty_id = copy_redemptions.loyalty_id
            where {taken_sql(plan, "coalesce(order_no, redemption_no)")} > 0
        """,
    }
