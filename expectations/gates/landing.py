"""Landing gate: volumes, freshness and ranges of the landed files (their footers are checked before)."""

from __future__ import annotations

from expectations.checks import Suite, each_between, measure, quantile, row_count, spread
from expectations.gates import Scope

NO_SALE_LIMIT = 1_000_000_000.0


def suites(scope: Scope) -> list[Suite]:
    """Checks of the landing zone; optional tables without rows are left out."""
    found = [_orders(scope), _sale_lines(scope), _together(scope)]
    if scope.has_landed("products"):
        found.append(_products(scope))
    found += [
        _cards(scope, table) for table in ("campaign_recipients", "coupon_redemptions") if scope.has_landed(table)
    ]
    return found


def _orders(scope: Scope) -> Suite:
    limits = scope.limits.landing
    orders = scope.landing("orders")
    days = f"""
        with days as (select distinct occurred_at::date as day from {orders} where occurred_at is not null),
        gaps as (select day, day - lag(day) over (order by day) - 1 as days_without_orders from days)
        select
            (select count(*) from {orders}) as order_count,
            count(*) as days_with_orders,
            max(day) as newest_day,
            coalesce(max(days_without_orders), 0) as longest_gap_days,
            (select round(avg((nullif(trim(loyalty_id), '') is not null)::integer), 6) from {orders}) as known_share,
            current_date - max(day) as days_since_last_order,
        from gaps
    """
    longest = "select day as first_day_after, days_without_orders from gaps order by days_without_orders desc"
    checks = [
        measure("order_count", limits.min_orders, None, "number of orders in visible loads"),
        measure(
            "longest_gap_days",
            None,
            limits.max_days_without_orders,
            "longest stretch of days without any order",
            days.split("select\n")[0] + longest,
            "days",
        ),
        measure("known_share", limits.min_known_buyer_share, 1.0, "share of orders that say who bought (loyalty_id)"),
    ]
    if limits.max_days_since_last_order is not None:
        label = "freshness: days from the newest order until today"
        checks.append(measure("days_since_last_order", None, limits.max_days_since_last_order, label, unit="days"))
    return Suite("orders", "landing.orders", tuple(checks), days)


def _sale_lines(scope: Scope) -> Suite:
    limits = scope.limits.landing
    query = f"select * from {scope.landing('order_lines')} where line_type = 'sale'"
    low, high = limits.min_median_line_amount, limits.max_median_line_amount
    mostly = 1 - limits.max_negative_discount_share
    return Suite(
        "sale_lines",
        "landing.order_lines",
        (
            row_count(limits.min_orders, None, "number of sale lines"),
            quantile("net_amount", 0.5, low, high, "median net amount of a sale line"),
            spread("net_amount", 0.005, "net amounts differ (standard deviation)"),
            *(
                each_between(column, 0.0, NO_SALE_LIMIT, f"{column.replace('_', ' ')}s are positive numbers", mostly)
                for column in ("retail_discount", "coupon_discount", "coupon_match_discount")
            ),
        ),
        query,
    )


def _together(scope: Scope) -> Suite:
    """Orders and lines arrive together: half of one of them gone shows here."""
    limits = scope.limits.landing
    orders, lines = scope.landing("orders"), scope.landing("order_lines")
    query = f"""
        with keys as (select distinct order_id from {orders}),
        baskets as (select order_id, count(*) as line_count from {lines} group by order_id)
        select
            count(keys.order_id) as order_count,
            count(baskets.order_id) as order_count_of_lines,
            count(*) filter (keys.order_id is not null and baskets.order_id is not null) as order_count_of_both,
            round(order_count_of_both / nullif(order_count, 0), 6) as orders_with_lines,
            round(order_count_of_both / nullif(order_count_of_lines, 0), 6) as lines_with_order,
            round(sum(baskets.line_count) / nullif(order_count_of_lines, 0), 2) as lines_per_order,
        from keys full join baskets on keys.order_id = baskets.order_id
    """
    without_lines = f"select * from {orders} where order_id not in (select order_id from {lines})"
    without_order = f"select * from {lines} where order_id not in (select order_id from {orders})"
    cover = limits.min_order_coverage
    return Suite(
        "orders_and_lines",
        "landing.order_lines",
        (
            measure("orders_with_lines", cover, None, "share of orders that have lines", without_lines),
            measure("lines_with_order", cover, None, "share of the lines' orders that are in orders", without_order),
            measure("lines_per_order", 1.0, limits.max_lines_per_order, "mean number of lines an order"),
        ),
        query,
    )


def _products(scope: Scope) -> Suite:
    lines, products = scope.landing("order_lines"), scope.landing("products")
    query = f"""
        with sold as (select product_id, count(*) as line_count from {lines} group by product_id),
        known as (select distinct product_id from {products})
        select
            sum(line_count) as line_count,
            count(*) filter (known.product_id is null) as unknown_products,
            round(1 - coalesce(sum(line_count) filter (known.product_id is null), 0) / sum(line_count), 6)
                as known_product_share,
        from sold left join known on sold.product_id = known.product_id
    """
    unknown = f"""
        select product_id, count(*) as line_count from {lines}
        where product_id not in (select product_id from {products}) group by product_id order by line_count desc
    """
    low = scope.limits.landing.min_known_product_share
    label = "share of lines whose product is in products"
    return Suite("products", "landing.products", (measure("known_product_share", low, None, label, unknown),), query)


def _cards(scope: Scope, table: str) -> Suite:
    """Cards of one table are cards that the shop knows from its orders or its members."""
    known = " union ".join(
        f"select loyalty_id from {scope.landing(source)}"
        for source in ("orders", "loyalty_members")
        if scope.has_landed(source)
    )
    query = f"""
        with cards as (select distinct loyalty_id from {scope.landing(table)} where loyalty_id is not null),
        known as ({known})
        select
            count(*) as card_count,
            round(count(known.loyalty_id) / nullif(count(*), 0), 6) as known_card_share,
        from cards left join known on cards.loyalty_id = known.loyalty_id
    """
    low = scope.limits.landing.min_known_member_share
    label = "share of cards that have an order or a membership"
    return Suite(table, f"landing.{table}", (measure("known_card_share", low, None, label),), query)
