-- Which products a person looked at or put into the cart, a row a product and day.

{%- set business_timezone = setting('shop.business_timezone') %}

with events as (
    select * from {{ ref('stg_web__events') }}
    where event_name in ('Product Viewed', 'Product Added')
),

sessions as (
    select * from {{ ref('int_activity__web_sessions') }}
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

seen as (
    select
        sessions.record_hash,
        events.product_id,
        events.event_date as day,
        {% if feature_basis() == 'as_known' -%}
            greatest(sessions.counts_from, cast({{ local_time('events.received_at', business_timezone) }} as date)) as counts_from,
        {%- else -%}
            -- whose the session is, its end tells
            sessions.counts_from,
        {%- endif %}
        case when events.event_name = 'Product Viewed' then 1 else 0 end as view_count,
        case when events.event_name = 'Product Viewed' and events.shown_price < events.list_price then 1 else 0 end
            as discounted_view_count,
        case when events.event_name = 'Product Added' then 1 else 0 end as add_count
    from events
    inner join sessions
        on
            events.session_id = sessions.session_id
            and events.session_started_at = sessions.session_started_at
    where events.product_id is not null
)

-- noqa: disable=LT02
select
    -- keys
    seen.record_hash,
    seen.product_id,
    products.product_category,
    -- dates
    seen.day,
    seen.counts_from,
    cast(null as date) as counts_until,
    -- counts
    cast(sum(seen.view_count) as integer) as view_count,
    cast(sum(seen.discounted_view_count) as integer) as discounted_view_count,
    cast(sum(seen.add_count) as integer) as add_count
from seen
left join products on seen.product_id = products.product_id
group by seen.record_hash, seen.product_id, products.product_category, seen.day, seen.counts_from
