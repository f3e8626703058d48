with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

customer_index as (
    select * from {{ ref('master_customer_index') }}
),

totals as (
    select
        order_id,
        count(*) as line_count,
        sum(gross_amount) as gross_amount,
        sum(retail_discount) as retail_discount,
        sum(coupon_discount) as coupon_discount,
        sum(coupon_match_discount) as coupon_match_discount,
        sum(net_amount) as order_total
    from order_lines
    group by order_id
)

select
    -- keys
    orders.order_id,
    customer_index.customer_id,
    orders.store_id,
    -- times
    orders.ordered_at,
    orders.order_date,
    -- what it is
    orders.channel,
    orders.order_status,
    orders.currency,
    -- counts
    cast(totals.line_count as integer) as line_count,
    -- amounts
    cast(totals.gross_amount as decimal(18, 2)) as gross_amount,
    cast(totals.retail_discount as decimal(18, 2)) as retail_discount,
    cast(totals.coupon_discount as decimal(18, 2)) as coupon_discount,
    cast(totals.coupon_match_discount as decimal(18, 2)) as coupon_match_discount,
    cast(totals.order_total as decimal(18, 2)) as order_total
from orders
inner join totals on orders.order_id = totals.order_id
-- left: whoever buys without a card is in the sales all the same
left join customer_index
    on
        orders.loyalty_id = customer_index.source_record_id
        and customer_index.source_system = 'orders'
        and customer_index.valid_to is null
