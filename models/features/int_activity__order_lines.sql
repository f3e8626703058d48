with order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

customers as (
    select
        source_record_id,
        customer_id
    from {{ ref('master_customer_index') }}
    where
        source_system = 'orders'
        and valid_to is null
),

resolved as (
    select
        order_lines.order_id,
        order_lines.line_number,
        customers.customer_id,
        order_lines.product_id,
        orders.order_date,
        products.department,
        products.product_category,
        products.brand_type,
        order_lines.quantity,
        order_lines.gross_amount,
        order_lines.retail_discount,
        order_lines.coupon_discount,
        order_lines.coupon_match_discount,
        order_lines.net_amount
    from order_lines
    inner join orders
        on order_lines.order_id = orders.order_id
    inner join customers
        on orders.loyalty_id = customers.source_record_id
    left join products
        on order_lines.product_id = products.product_id
)

select
    -- keys
    order_id,
    line_number,
    customer_id,
    product_id,
    -- dates
    order_date,
    -- product
    department,
    product_category,
    brand_type,
    -- amounts
    quantity,
    gross_amount,
    retail_discount,
    coupon_discount,
    coupon_match_discount,
    net_amount
from resolved
