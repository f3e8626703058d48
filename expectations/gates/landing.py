"""Landing gate: volumes, freshness and ranges of the landed files (their footers are checked before)."""

from __future__ import annotations

from expectations.checks import Suite, each_between, measure, no_rows, quantile, row_count, spread
from expectations.gates import Scope

NO_SALE_LIMIT = 1_000_000_000.0
# The words that the contract has for what a row is; staging sets other ones aside.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "web_events": {"event_type": ("page", "identify", "track")},
    "email_events": {
        "event_type": ("sent", "delivered", "opened", "clicked", "bounced", "unsubscribed", "complained"),
    },
    "consent_events": {
        "purpose": ("analytics", "personalization", "email", "advertising"),
        "consent_action": ("granted", "withdrawn"),
    },
    "support_tickets": {"status": ("open", "solved")},
}


def suites(scope: Scope) -> list[Suite]:
    """Checks of the landing zone; optional tables without rows are left out."""
    found = [_orders(scope), _sale_lines(scope), _together(scope)]
    if scope.has_landed("products"):
        found.append(_products(scope))
    found += [
        _cards(scope, table) for table in ("campaign_recipients", "coupon_redemptions") if scope.has_landed(table)
    ]
    found += [_words(scope, table) for table in WORDS if scope.has_landed(table)]
    freshness = _freshness(scope)
    return [*found, freshness] if freshness else found


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


def _words(scope: Scope, table: str) -> Suite:
    """Kinds of rows are those of the contract; of web events also that they have a visitor."""
    limits = scope.limits.landing
    rows = scope.landing(table)
    shares = [
        f"round(count(*) filter ({column} in {words}) / count(*), 6) as known_{column}"
        for column, words in WORDS[table].items()
    ]
    checks = [
        measure(
            f"known_{column}",
            limits.min_known_word_share,
            None,
            f"share of rows whose {column} is one of the contract's words",
            f"select {column}, count(*) as row_count from {rows} group by {column} order by row_count desc",
        )
        for column in WORDS[table]
    ]
    if table == "web_events":
        shares.append("round(count(anonymous_id) / count(*), 6) as visitor_share")
        checks.append(measure("visitor_share", limits.min_visitor_share, None, "share of events that name a visitor"))
    query = f"select {', '.join(shares)} from {rows}"
    return Suite(table, f"landing.{table}", tuple(checks), query)


def _freshness(scope: Scope) -> Suite | None:
    """A source that stopped while the others went on: each table's newest row against the newest of all."""
    allowed = scope.limits.landing.max_days_behind.model_dump()
    asked = {table: days for table, days in allowed.items() if days is not None and table in scope.newest_known_at}
    if not asked:
        return None
    newest = max(scope.newest_known_at.values())
    listed = ", ".join(
        f"('{table}', timestamp '{scope.newest_known_at[table]}', {days})" for table, days in asked.items()
    )
    query = f"""
        select
            landing_table,
            newest_known_at,
            timestamp '{newest}' as newest_of_all,
            date_diff('day', newest_known_at, newest_of_all) as days_behind,
            allowed_days,
        from (values {listed}) as tables (landing_table, newest_known_at, allowed_days)
    """
    limits = ", ".join(f"{table} {days}" for table, days in asked.items())
    check = no_rows(
        "days_behind > allowed_days",
        "freshness: days that each table lies behind the newest row of all",
        f"at most {limits} (gates.landing.max_days_behind; null = not asked)",
        named_by="landing_table",
    )
    return Suite("freshness", "landing", (check,), query)
