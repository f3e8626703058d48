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
        -- a sale line stands as long as something of it was kept; without units, as long as some of its money was
        count(*) filter (
            where line_type = 'sale'
            and (returned_quantity < quantity or (quantity <= 0 and (returned_amount < net_amount or net_amount = 0)))
        ) as standing_line_count,
        sum(gross_amount) as gross_amount,
        sum(retail_discount) as retail_discount,
        sum(coupon_discount) as coupon_discount,
        sum(coupon_match_discount) as coupon_match_discount,
        sum(net_amount) as order_total,
        sum(amount_after_returns) as total_after_returns
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
    orders.is_inferred,
    orders.voided_at is null and totals.standing_line_count > 0 as is_purchase,
    -- counts
    cast(totals.line_count as integer) as line_count,
    -- amounts
    {{ setting('shop.reporting_currency') }} as currency,
    orders.currency as transaction_currency,
    cast(totals.gross_amount as decimal(18, 2)) as gross_amount,
    cast(totals.retail_discount as decimal(18, 2)) as retail_discount,
    cast(totals.coupon_discount as decimal(18, 2)) as coupon_discount,
    cast(totals.coupon_match_discount as decimal(18, 2)) as coupon_match_discount,
    cast(totals.order_total as decimal(18, 2)) as order_total,
    cast(case when orders.voided_at is null then totals.total_after_returns else 0 end as decimal(18, 2))
        as total_after_returns
from orders
inner join totals on orders.order_id = totals.order_id
-- left: whoever buys without saying who is in the sales all the same
left join customer_index
    on
        orders.buyer = customer_index.source_record_id
        and customer_index.source_system = 'orders'
        and customer_index.valid_to is null
