-- The cart that a customer left, as of each date: what was put in and not taken out since the last order on the web.

with events as (
    select * from {{ ref('int_segments__web_events') }}
    where seconds_before <= 7 * 86400
),

last_orders as (
    select
        customer_id,
        as_of_date,
        max(event_at) as last_ordered_at
    from events
    where event_name = 'Order Completed'
    group by customer_id, as_of_date
),

since_last_order as (
    select events.*
    from events
    left join last_orders
        on
            events.customer_id = last_orders.customer_id
            and events.as_of_date = last_orders.as_of_date
    where last_orders.last_ordered_at is null or events.event_at > last_orders.last_ordered_at
),

left_in_carts as (
    select
        customer_id,
        as_of_date,
        product_id,
        min(seconds_before) as seconds_since_touched,
        {{ newest_value('session_id', by='event_at') }} as session_id,
        max(event_at) as touched_at,
        min(event_at) as first_added_at,
        {{ newest_value('shown_price', by='event_at') }} as shown_price,
        sum(case event_name when 'Product Added' then coalesce(quantity, 1) else -coalesce(quantity, 1) end) as quantity
    from since_last_order
    where event_name in ('Product Added', 'Product Removed')
    group by customer_id, as_of_date, product_id
    having sum(case event_name when 'Product Added' then coalesce(quantity, 1) else -coalesce(quantity, 1) end) > 0
),

carts as (
    select
        customer_id,
        as_of_date,
        min(seconds_since_touched) as seconds_since_touched,
        {{ newest_value('session_id', by='touched_at') }} as session_id,
        max(touched_at) as touched_at,
        min(first_added_at) as first_added_at,
        sum(quantity * coalesce(shown_price, 0)) as cart_value
    from left_in_carts
    group by customer_id, as_of_date
),

-- how long they stayed in the visit in which they touched it last
stays as (
    select
        carts.customer_id,
        carts.as_of_date,
        max({{ seconds_between('carts.touched_at', 'since_last_order.event_at') }}) as seconds_stayed
    from carts
    inner join since_last_order
        on
            carts.customer_id = since_last_order.customer_id
            and carts.as_of_date = since_last_order.as_of_date
            and carts.session_id = since_last_order.session_id
    group by carts.customer_id, carts.as_of_date
),

-- looked again at what lay in it, at the cart itself, or took something out
hesitations as (
    select
        carts.customer_id,
        carts.as_of_date,
        count(*) as hesitation_count
    from carts
    inner join since_last_order
        on
            carts.customer_id = since_last_order.customer_id
            and carts.as_of_date = since_last_order.as_of_date
            and carts.first_added_at < since_last_order.event_at
    left join left_in_carts
        on
            since_last_order.customer_id = left_in_carts.customer_id
            and since_last_order.as_of_date = left_in_carts.as_of_date
            and since_last_order.product_id = left_in_carts.product_id
    where
        since_last_order.event_name in ('Product Removed', 'Cart Viewed')
        or (since_last_order.event_name = 'Product Viewed' and left_in_carts.product_id is not null)
    group by carts.customer_id, carts.as_of_date
)

select
    -- keys
    carts.customer_id,
    carts.as_of_date,
    -- time
    carts.seconds_since_touched,
    cast(stays.seconds_stayed as bigint) as seconds_stayed,
    -- counts and amounts
    cast(coalesce(hesitations.hesitation_count, 0) as integer) as hesitation_count,
    cast(carts.cart_value as decimal(18, 2)) as cart_value
from carts
inner join stays
    on
        carts.customer_id = stays.customer_id
        and carts.as_of_date = stays.as_of_date
left join hesitations
    on
        carts.customer_id = hesitations.customer_id
        and carts.as_of_date = hesitations.as_of_date
