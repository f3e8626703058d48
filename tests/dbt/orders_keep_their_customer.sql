-- An order that names a card belongs to a customer: identity loses nobody.
-- (One whose lines are all set aside is no fact.)
select
    orders.order_id,
    orders.loyalty_id
from {{ ref('stg_shop__orders') }} as orders
inner join {{ ref('fct_orders') }} as facts on orders.order_id = facts.order_id
where
    orders.loyalty_id is not null
    and facts.customer_id is null
