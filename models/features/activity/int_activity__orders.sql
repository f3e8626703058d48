with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

order_lines as (
    select * from {{ ref('int_activity__order_lines') }}
),

line_totals as (
    select
        order_id,
        max(record_hash) as record_hash,
        min(case when line_type = 'sale' then counts_from end) as counts_from,
        max(order_counts_until) as counts_until,
        count(*) filter (where line_type = 'sale') as line_count,
        -- distinct: the same product may stand on several lines of one order
        count(distinct case when line_type = 'sale' then product_id end) as product_count,
        sum(gross_amount) as gross_amount,
        sum(retail_discount) as retail_discount,
        sum(coupon_discount) as coupon_discount,
        sum(coupon_match_discount) as coupon_match_discount,
        sum(net_amount) as order_total
    from order_lines
    group by order_id
),

totalled as (
    select
        orders.order_id,
        line_totals.record_hash,
        orders.store_id,
        orders.channel,
        orders.ordered_at,
        orders.ordered_at_local,
        orders.order_date,
        line_totals.counts_from,
        line_totals.counts_until,
        line_totals.line_count,
        line_totals.product_count,
        line_totals.gross_amount,
        line_totals.retail_discount,
        line_totals.coupon_discount,
        line_totals.coupon_match_discount,
        line_totals.order_total
    from orders
    inner join line_totals
        on orders.order_id = line_totals.order_id
    -- fees alone are no purchase
    where line_totals.line_count > 0
)

select
    -- keys
    order_id,
    record_hash,
    store_id,
    channel,
    -- times
    ordered_at,
    ordered_at_local,
    order_date,
    counts_from,
    counts_until,
    -- counts
    cast(line_count as integer) as line_count,
    cast(product_count as integer) as product_count,
    -- amounts
    cast(gross_amount as decimal(18, 2)) as gross_amount,
    cast(retail_discount as decimal(18, 2)) as retail_discount,
    cast(coupon_discount as decimal(18, 2)) as coupon_discount,
    cast(coupon_match_discount as decimal(18, 2)) as coupon_match_discount,
    cast(order_total as decimal(18, 2)) as order_total
from totalled
