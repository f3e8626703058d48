with events as (
    select * from {{ ref('base_web__events') }}
),

products as (
    select product_id from {{ ref('stg_shop__products') }}
),

orders as (
    select order_id from {{ ref('stg_shop__orders') }}
)

select
    -- keys
    event_id,
    event_key,
    session_id,
    anonymous_id,
    user_id,
    load_sequence,
    -- what it is
    event_type,
    event_name,
    email,
    page_host,
    page_path,
    content_type,
    product_id,
    cart_id,
    order_id,
    search_query,
    quantity,
    -- prices
    list_price,
    shown_price,
    currency,
    -- where it came from
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    -- device
    user_agent,
    device_type,
    ip_address,
    region,
    -- times
    event_at,
    event_date,
    session_started_at,
    received_at,
    -- flags
    is_late,
    product_id is not null and product_id not in (select product_id from products) as is_unknown_product,
    order_id is not null and order_id not in (select order_id from orders) as is_unknown_order
from events
where reject_reason is null
