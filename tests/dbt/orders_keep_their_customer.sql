-- An order that names a card, a login or an address belongs to a customer: identity loses nobody.
-- (One whose lines are all set aside is no fact.)
select
    orders.order_id,
    orders.buyer
from {{ ref('stg_shop__orders') }} as orders
inner join {{ ref('fct_orders') }} as facts on orders.order_id = facts.order_id
where
    orders.buyer is not null
    and facts.customer_id is null
