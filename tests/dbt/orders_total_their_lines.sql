-- Every order's total is the sum of its lines, to the cent.
with orders as (
    select * from {{ ref('fct_orders') }}
),

lines as (
    select
        order_id,
        sum(sales_amount) as sales_amount
    from {{ ref('fct_order_lines') }}
    group by order_id
)

select
    orders.order_id,
    orders.order_total,
    lines.sales_amount
from orders
left join lines on orders.order_id = lines.order_id
where lines.order_id is null or orders.order_total <> lines.sales_amount
