-- The way of each session through the shop, of the last weeks: what it came to, in the order in which it first did, and
-- whose it was. Programs are left out.

{%- set window_days = 90 %}
{%- set separator = ' > ' %}
{%- set order_of_steps = [
    'home', 'search', 'category', 'product', 'reading', 'cart', 'checkout', 'order', 'account', 'other',
] %}

with events as (
    select * from {{ ref('stg_web__events') }}
),

visitors as (
    select * from {{ ref('stg_web__visitors') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

steps as (
    select
        events.session_id,
        events.session_started_at,
        events.event_at,
        case
            when events.event_name = 'Order Completed' then 'order'
            when events.event_name = 'Checkout Started' or events.content_type = 'checkout' then 'checkout'
            when events.event_name = 'Product Added' or events.content_type = 'cart' then 'cart'
            when events.content_type in ('review', 'tutorial') then 'reading'
            when events.content_type in ('home', 'search', 'category', 'product', 'account') then events.content_type
            else 'other'
        end as step
    from events
    left join visitors on events.anonymous_id = visitors.anonymous_id
    cross join as_of_dates
    where
        events.event_type <> 'identify'
        and not coalesce(visitors.is_bot, false)
        and events.event_date < as_of_dates.as_of_date
        and events.event_date >= as_of_dates.as_of_date - {{ window_days }}
),

reached as (
    select
        session_id,
        session_started_at,
        step,
        case step
            {% for step in order_of_steps -%}
                when '{{ step }}' then {{ loop.index }}
            {% endfor -%}
        end as step_place,
        min(event_at) as first_at,
        max(event_at) as last_at
    from steps
    group by session_id, session_started_at, step
),

-- Steps at one instant stand in the order of the list above: no order of rows shows.
sessions as (
    select
        session_id,
        session_started_at,
        string_agg(step, '{{ separator }}' order by first_at, step_place) as path,
        max(case when step = 'product' then 1 else 0 end) as saw_product,
        max(case when step = 'cart' then 1 else 0 end) as filled_cart,
        max(case when step = 'checkout' then 1 else 0 end) as began_checkout,
        max(case when step = 'order' then 1 else 0 end) as has_ordered
    from reached
    group by session_id, session_started_at
),

last_steps as (
    select
        session_id,
        session_started_at,
        step as last_step,
        row_number() over (partition by session_id, session_started_at order by last_at desc, step_place desc) as place
    from reached
),

owners as (
    select
        sessions.session_id,
        sessions.session_started_at,
        memberships.customer_id
    from {{ ref('int_activity__web_sessions') }} as sessions
    inner join {{ ref('int_activity__memberships') }} as memberships on sessions.record_hash = memberships.record_hash
    cross join as_of_dates
    where {{ owned_at('as_of_dates.as_of_date') }}
)

select
    -- keys
    sessions.session_id,
    sessions.session_started_at,
    -- whose
    owners.customer_id,
    -- what it covers
    cast({{ window_days }} as integer) as window_days,
    -- the way
    sessions.path,
    last_steps.last_step,
    -- how far it went
    sessions.saw_product = 1 as is_product_seen,
    sessions.filled_cart = 1 as is_cart_filled,
    sessions.began_checkout = 1 as is_checkout_begun,
    sessions.has_ordered = 1 as is_ordered
from sessions
inner join last_steps
    on
        sessions.session_id = last_steps.session_id
        and sessions.session_started_at = last_steps.session_started_at
        and last_steps.place = 1
left join owners
    on
        sessions.session_id = owners.session_id
        and sessions.session_started_at = owners.session_started_at
