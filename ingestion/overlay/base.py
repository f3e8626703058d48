"""The real shop that the overlay lies on: its orders, lines, products and mailings, numbered for fast joins.

Reads landing tables, so that whatever landed as orders can be overlaid; nothing here is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from ingestion.overlay.plan import PERIOD_START, SITE, ZONE

# Not to be put into a web cart: coupons, fuel and what the till books without goods.
NOT_ONLINE = ("FUEL", "COUPON", "MISCELLANEOUS", "CNTRL/STORE SUP", "POSTAL CENTER", "PROD-WHS SALES", "GM MERCH EXP")
# A department needs this many lines in the year to be somebody's taste.
TASTE_MIN_LINES_SHARE = 0.002
SHELF_ROWS_PER_MONTH = 6_000


def open_base(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, str]) -> None:
    """Make `base_*` tables from queries of landing tables.

    Parameters
    ----------
    tables
        Landing table to a query: loyalty_members, products, orders, order_lines, campaigns, campaign_recipients,
        coupon_redemptions.
    """
    connection.execute(f"""
        create or replace temp table base_product_rows as
        select
            product_id, department, coalesce(product_category, 'more') as category,
            coalesce(product_type, department) as type
        from ({tables["products"]})
        where department not in {NOT_ONLINE}
            and product_id in (select product_id from ({tables["order_lines"]}))  -- on offer is what is sold
    """)
    # A few thousand kinds of products: their texts are made once. A kind is what a list page or a search is about.
    connection.execute(f"""
        create or replace temp table base_kinds as
        with departments as (
            select department, cast(row_number() over (order by department) as tinyint) as department_code
            from (select distinct department from base_product_rows)  -- thirty of them
        )
        select
            cast(row_number() over (order by department, category, type) - 1 as integer) as kind_no,
            department, department_code, category, type,
            '{SITE}/c/' || {_slug("department")} || '/' || {_slug("category")} as category_url,
            -- The type as people would type it: words, no punctuation, no sizes.
            trim(regexp_replace(lower(split_part(type, ':', 1)), '[^a-z]+', ' ', 'g')) as search_words
        from (select distinct department, category, type from base_product_rows)  -- one row a kind
        join departments using (department)
    """)
    connection.execute("""
        create or replace temp table base_products as
        select
            cast(row_number() over (order by product_id) - 1 as integer) as product_no,
            cast(product_id as varchar) as product_id, kind_no, department_code
        from base_product_rows join base_kinds using (department, category, type)
    """)
    connection.execute("drop table base_product_rows")
    connection.execute(f"""
        create or replace temp table base_orders as
        with orders as ({tables["orders"]})
        select
            row_number() over (order by loyalty_id, occurred_at, order_id) - 1 as order_no,
            cast(order_id as varchar) as order_id, cast(loyalty_id as varchar) as loyalty_id, store_id, occurred_at,
            cast(date_part('hour', local_at) * 60 + date_part('minute', local_at) as integer) as local_minute
        from (select *, timezone('{ZONE}', timezone('UTC', occurred_at)) as local_at from orders)
        where loyalty_id is not null
    """)
    connection.execute(f"""
        create or replace temp table base_lines as
        select
            order_no, line_number, product_no, department_code, cast(quantity as integer) as quantity,
            cast(round(100 * gross_amount / quantity) as integer) as list_cents,
            cast(round(100 * net_amount / quantity) as integer) as shown_cents,
            retail_discount > 0 as is_discounted, {month_no("base_orders.occurred_at")} as month_no, loyalty_id
        from ({tables["order_lines"]}) as lines
        join base_orders on base_orders.order_id = cast(lines.order_id as varchar)
        join base_products on base_products.product_id = cast(lines.product_id as varchar)
        where quantity between 1 and 24 and net_amount / quantity >= 0.10
    """)
    connection.execute(f"""
        create or replace temp table base_campaigns as
        select
            cast(campaign_id as varchar) as campaign_id, cast(starts_on as date) as starts_on,
            cast(ends_on as date) as ends_on
        from ({tables["campaigns"]})
    """)
    connection.execute(f"""
        create or replace temp table base_recipients as
        select cast(campaign_id as varchar) as campaign_id, cast(loyalty_id as varchar) as loyalty_id
        from ({tables["campaign_recipients"]})
    """)
    connection.execute(f"""
        create or replace temp table base_households as
        with members as (
            select cast(loyalty_id as varchar) as loyalty_id, age_band from ({tables["loyalty_members"]})
        ),
        counted as (
            select
                loyalty_id, min(order_no) as first_order_no, count(*) as order_count,
                -- Weeks between the first and the last order, at least one.
                greatest(1, date_diff('day', min(occurred_at), max(occurred_at)) / 7.0) as active_weeks
            from base_orders group by loyalty_id
        )
        select
            row_number() over (order by md5(loyalty_id)) - 1 as household_no, loyalty_id, age_band,
            first_order_no, order_count, active_weeks,
            loyalty_id in (select loyalty_id from base_recipients) as is_mailed
        from members join counted using (loyalty_id)
    """)
    _departments(connection)
    _shelf(connection)


def month_no(instant: str) -> str:
    """SQL: the month of the period, 0 to 11, that the instant is in."""
    return f"cast(least(11, greatest(0, date_diff('month', timestamp '{PERIOD_START}', {instant}))) as integer)"


def _slug(text: str) -> str:
    return f"trim(regexp_replace(lower({text}), '[^a-z0-9]+', '-', 'g'), '-')"


def _departments(connection: duckdb.DuckDBPyConnection) -> None:
    """Departments that somebody can have a taste for, with their share of the lines."""
    connection.execute(f"""
        create or replace temp table base_departments as
        with counted as (
            select department_code, count(*) as lines, count(*) filter (is_discounted) as discounted
            from base_lines group by department_code
        )
        select
            cast(row_number() over (order by lines desc, department_code) - 1 as tinyint) as department_no,
            department_code, department, lines / sum(lines) over () as share
        from counted
        join (select distinct department_code, department from base_kinds) using (department_code)
        where lines >= {TASTE_MIN_LINES_SHARE} * (select sum(lines) from counted) and discounted > 0
            and discounted < lines
    """)


def _shelf(connection: duckdb.DuckDBPyConnection) -> None:
    """What the web shows: price points that were really paid, by month; and once a product, for whoever walks all."""
    connection.execute(f"""
        create or replace temp table base_shelf as
        with seen as (
            select
                month_no, department_no, is_discounted, product_no, list_cents, shown_cents,
                hash(order_no * 1024 + line_number) as shuffled
            from base_lines join base_departments using (department_code)
        ),
        counted as (select month_no, department_no, is_discounted, count(*) as lines from seen group by all),
        rated as (
            select *, least(1, {SHELF_ROWS_PER_MONTH} / sum(lines) over (partition by month_no)) as rate from counted
        ),
        sampled as (
            -- All of what is rare, so that no month lacks a department.
            select seen.*
            from seen join rated using (month_no, department_no, is_discounted)
            where lines <= 40 or shuffled % 65536 < 65536 * rate
        ),
        catalogue as (
            select product_no, max(list_cents) as list_cents, max(shown_cents) as shown_cents
            from base_lines group by product_no
        ),
        together as (
            select month_no, department_no, is_discounted, product_no, list_cents, shown_cents, shuffled from sampled
            union all
            select -1, -1, false, product_no, list_cents, shown_cents, product_no from catalogue
        )
        select
            cast(row_number() over (
                order by month_no, department_no, is_discounted desc, shuffled  -- a hash without ties
            ) - 1 as integer) as shelf_no,
            month_no, department_no, is_discounted, product_no, kind_no, list_cents, shown_cents
        from together join base_products using (product_no)
    """)
    # Catalogue rows come first, in the order of products: shelf_no is then the number within the catalogue.
    # Where a small shop sold nothing of a department in a month, the month's largest department stands in for it.
    connection.execute("""
        create or replace temp table base_slices as
        with slices as (
            select
                month_no, department_no, cast(min(shelf_no) as integer) as first_no,
                cast(count(*) filter (is_discounted) as integer) as discounted_rows,
                cast(count(*) filter (not is_discounted) as integer) as other_rows
            from base_shelf where month_no >= 0 group by all
        ),
        largest as (
            select
                months.month_no, arg_max(slices.first_no, (-abs(slices.month_no - months.month_no), slices.other_rows))
                    as first_no
            from range(12) as months(month_no) cross join slices
            group by all
        )
        select
            largest.month_no, base_departments.department_no,
            coalesce(slices.first_no, stand_in.first_no) as first_no,
            coalesce(slices.discounted_rows, stand_in.discounted_rows) as discounted_rows,
            coalesce(slices.other_rows, stand_in.other_rows) as other_rows
        from largest
        cross join base_departments
        join slices as stand_in on stand_in.first_no = largest.first_no
        left join slices
            on slices.month_no = largest.month_no and slices.department_no = base_departments.department_no
    """)
