select
    -- keys
    order_id,
    loyalty_id,
    store_id,
    load_id,
    -- what it is
    channel,
    order_status,
    currency,
    -- times
    ordered_at,
    ordered_at_local,
    cast(ordered_at_local as date) as order_date,
    known_at
from {{ ref('base_shop__orders') }}
where reject_reason is null
