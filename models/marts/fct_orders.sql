with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

totals as (
    select * from {{ ref('int_activity__orders') }}
)

select
    -- keys
    orders.order_id,
    totals.customer_id,
    orders.store_id,
    -- times
    orders.ordered_at,
    orders.order_date,
    -- what it is
    orders.channel,
    orders.order_status,
    orders.currency,
    -- counts
    totals.line_count,
    -- amounts
    totals.gross_amount,
    totals.retail_discount,
    totals.coupon_discount,
    totals.coupon_match_discount,
    totals.order_total
from orders
inner join totals on orders.order_id = totals.order_id
