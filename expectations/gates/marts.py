"""Marts gate: what readers will see is all of what was staged, to the cent."""

from __future__ import annotations

from expectations.checks import Suite, each_between, measure, no_rows
from expectations.gates import Scope

ORDERS = "marts.fct_orders"
LINES = "marts.fct_order_lines"
PRODUCTS = "marts.dim_products"
STAGED_ORDERS = "staging.stg_shop__orders"
STAGED_LINES = "staging.stg_shop__order_lines"
# Published table: what it republishes row by row.
COPIES = {
    "marts.fct_scores": "scores.int_scores__scores",
    "marts.fct_segment_memberships": "segments.int_segments__memberships",
    "marts.rpt_model_performance": "scores.int_scores__model_performance",
}


def suites(scope: Scope) -> list[Suite]:
    """Checks of the published tables against the stages they come from."""
    found = [_sales(scope), _not_empty(scope), _copies(), _segments()]
    if scope.catalog.has_rows("staging.stg_shop__products"):
        found.append(_products(scope))
    return found


def _sales(scope: Scope) -> Suite:
    """An order without lines has nothing to publish, so orders with lines are the measure."""
    query = f"""
        with staged as (
            select count(*) as staged_lines, count(distinct order_id) as staged_orders,
                sum(net_amount) as staged_sales,
            from {STAGED_LINES}
            where order_id in (select order_id from {STAGED_ORDERS})
        ),
        lines as (select count(*) as line_count, coalesce(sum(sales_amount), 0) as line_sales from {LINES}),
        orders as (select count(*) as order_count, coalesce(sum(order_total), 0) as order_sales from {ORDERS})
        select
            staged_orders,
            order_count,
            order_count - staged_orders as order_difference,
            staged_lines,
            line_count,
            line_count - staged_lines as line_difference,
            staged_sales,
            line_sales,
            order_sales,
            (line_sales - staged_sales)::double as line_sales_difference,
            (order_sales - staged_sales)::double as order_sales_difference,
        from staged, lines, orders
    """
    missing = f"""
        select order_id, loyalty_id, order_date, load_id from {STAGED_ORDERS}
        where order_id not in (select order_id from {ORDERS})
    """
    within = scope.limits.marts.max_total_difference
    return Suite(
        "sales",
        ORDERS,
        (
            measure("order_difference", 0, 0, "orders in fct_orders less staged orders with lines", missing),
            measure("line_difference", 0, 0, "lines in fct_order_lines less staged lines"),
            measure("order_sales_difference", -within, within, "total sales of fct_orders less staged sales"),
            measure("line_sales_difference", -within, within, "total sales of fct_order_lines less staged sales"),
        ),
        query,
        (ORDERS, LINES, STAGED_ORDERS, STAGED_LINES),
    )


def _not_empty(scope: Scope) -> Suite:
    tables = tuple(f"marts.{table}" for table in scope.limits.marts.required_tables)
    query = " union all ".join(
        f"select '{table}' as table_name, count(*) as row_count from {table}" for table in tables
    )
    check = no_rows("row_count = 0", "published tables have rows", "at least 1 row each", named_by="table_name")
    return Suite("published", "marts", (check,), query, tables)


def _copies() -> Suite:
    query = " union all ".join(
        f"""
        select
            '{published}' as table_name,
            published_rows,
            source_rows,
            published_rows - source_rows as difference,
        from
            (select count(*) as published_rows from {published}),
            (select count(*) as source_rows from {source})
        """
        for published, source in COPIES.items()
    )
    check = each_between(
        "difference", 0, 0, "published rows less the rows of the stage they come from", named_by="table_name"
    )
    return Suite("copies", "marts", (check,), query, (*COPIES, *COPIES.values()))


def _segments() -> Suite:
    """Sizes in the reports are the memberships that are published."""
    memberships, dimension, summary = "marts.fct_segment_memberships", "marts.dim_segments", "marts.rpt_segment_summary"
    query = f"""
        with members as (
            select count(*) as members from {memberships}
            where as_of_date = (select max(as_of_date) from {memberships})
        ),
        sized as (select sum(member_count) as dimension_members from {dimension}),
        summed as (select sum(member_count) as summary_members from {summary})
        select
            members,
            dimension_members,
            summary_members,
            dimension_members - members as dimension_difference,
            summary_members - members as summary_difference,
        from members, sized, summed
    """
    checks = (
        measure("dimension_difference", 0, 0, "members in dim_segments less memberships now"),
        measure("summary_difference", 0, 0, "members in rpt_segment_summary less memberships now"),
    )
    return Suite("segments", summary, checks, query, (memberships, dimension, summary))


def _products(scope: Scope) -> Suite:
    query = f"""
        select
            count(*) as product_count,
            count(*) filter (is_inferred) as inferred_count,
            round(count(*) filter (is_inferred) / nullif(count(*), 0), 6) as inferred_share,
        from {PRODUCTS}
    """
    high = scope.limits.marts.max_inferred_product_share
    check = measure("inferred_share", None, high, "share of products that were sold but are not in the product file")
    return Suite("products", PRODUCTS, (check,), query, (PRODUCTS,))
