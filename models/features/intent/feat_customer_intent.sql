-- A cart is what was put in less what was taken out since the last order; it counts as abandoned once its customer has
-- been away for the idle time that ends a session.
{#- A cart is left for longer than half an hour before anybody calls it so. -#}
{%- set cart_windows = ['1h', '24h', '48h', '7d'] %}
{%- set idle_seconds = 60 * (setting_value('web.session_idle_minutes') or 0) %}

-- noqa: disable=LT02
with events as (
    select * from {{ ref('int_intent__events') }}
),

last_orders as (
    select
        customer_id,
        max(event_at) as last_ordered_at
    from events
    where event_name = 'Order Completed'
    group by customer_id
),

left_in_carts as (
    select
        events.customer_id,
        events.cart_id,
        events.product_id,
        min(events.seconds_before) as seconds_before,
        sum(case events.event_name when 'Product Added' then events.quantity else -events.quantity end) as quantity,
        {{ newest_value('events.shown_price', by='events.event_at') }} as shown_price
    from events
    left join last_orders on events.customer_id = last_orders.customer_id
    where
        events.event_name in ('Product Added', 'Product Removed')
        and (last_orders.last_ordered_at is null or events.event_at > last_orders.last_ordered_at)
    group by events.customer_id, events.cart_id, events.product_id
    having sum(case events.event_name when 'Product Added' then events.quantity else -events.quantity end) > 0
),

carts as (
    select
        customer_id,
        cart_id,
        min(seconds_before) as seconds_before,
        sum(quantity * coalesce(shown_price, 0)) as cart_value
    from left_in_carts
    group by customer_id, cart_id
),

counted as (
    select
        customer_id,
        as_of_at,
        min(seconds_before) as seconds_since_last_event,
        {{ intent_counts('intent') }}
    from events
    group by customer_id, as_of_at
),

of_carts as (
    select
        carts.customer_id,
        sum(carts.cart_value) as open_cart_value
        {%- for window in cart_windows %}
        {%- set seconds = intent_windows()[window] %},
        count(*) filter (
            where carts.seconds_before <= {{ seconds }} and counted.seconds_since_last_event >= {{ idle_seconds }}
        ) as abandoned_cart_count_{{ window }},
        sum(carts.cart_value) filter (
            where carts.seconds_before <= {{ seconds }} and counted.seconds_since_last_event >= {{ idle_seconds }}
        ) as abandoned_cart_value_{{ window }}
        {%- endfor %}
    from carts
    inner join counted on carts.customer_id = counted.customer_id
    group by carts.customer_id
)

select
    -- keys
    counted.customer_id,
    counted.as_of_at,
    '{{ feature_basis() }}' as identity_basis,
    -- time
    counted.seconds_since_last_event,
    -- counts
    {% for window in intent_windows() -%}
        counted.intent_view_count_{{ window }},
        counted.intent_add_count_{{ window }},
        {% if window in cart_windows -%}
            cast(coalesce(of_carts.abandoned_cart_count_{{ window }}, 0) as integer)
                as abandoned_cart_count_{{ window }},
        {% endif -%}
    {% endfor -%}
    -- amounts
    {% for window in cart_windows -%}
        cast(coalesce(of_carts.abandoned_cart_value_{{ window }}, 0) as decimal(18, 2))
            as abandoned_cart_value_{{ window }},
    {% endfor -%}
    cast(coalesce(of_carts.open_cart_value, 0) as decimal(18, 2)) as open_cart_value
from counted
left join of_carts on counted.customer_id = of_carts.customer_id
