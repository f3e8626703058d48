with good as (
    select * from {{ ref('base_web__events') }}
    where reject_reason is null
),

products as (
    select product_id from {{ ref('stg_shop__products') }}
),

orders as (
    select order_id from {{ ref('stg_shop__orders') }}
)

select
    -- keys
    good.event_id,
    good.event_key,
    good.session_id,
    good.anonymous_id,
    good.user_id,
    good.load_sequence,
    -- what it is
    good.event_type,
    good.event_name,
    good.email,
    good.page_path,
    good.content_type,
    good.product_id,
    good.cart_id,
    good.order_id,
    good.search_query,
    good.quantity,
    -- prices
    good.list_price,
    good.shown_price,
    good.currency,
    -- where it came from
    good.referrer_host,
    good.utm_source,
    good.utm_medium,
    good.utm_campaign,
    -- device
    good.user_agent,
    good.device_type,
    good.ip_address,
    good.region,
    -- times
    good.event_at,
    good.event_date,
    good.session_started_at,
    good.received_at,
    -- flags
    good.is_late,
    -- What products and orders are known changes from load to load, so it is asked when the events are read.
    good.product_id is not null and products.product_id is null as is_unknown_product,
    good.order_id is not null and orders.order_id is null as is_unknown_order
from good
left join products on good.product_id = products.product_id
left join orders on good.order_id = orders.order_id
