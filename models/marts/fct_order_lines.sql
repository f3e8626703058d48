with order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

orders as (
    select * from {{ ref('fct_orders') }}
)

select
    -- keys
    order_lines.order_id,
    order_lines.line_number,
    order_lines.product_id,
    orders.customer_id,
    -- times
    orders.order_date,
    -- what it is
    order_lines.line_type,
    order_lines.is_outlier,
    -- amounts
    order_lines.quantity,
    order_lines.gross_amount,
    order_lines.retail_discount,
    order_lines.coupon_discount,
    order_lines.coupon_match_discount,
    order_lines.net_amount as sales_amount,
    -- what came back of it
    order_lines.returned_quantity,
    order_lines.returned_amount
from order_lines
inner join orders on order_lines.order_id = orders.order_id
