select
    -- keys
    path,
    last_step,
    -- what it covers
    max(window_days) as window_days,
    -- how far it went
    is_product_seen,
    is_cart_filled,
    is_checkout_begun,
    is_ordered,
    -- counts
    cast(count(*) as integer) as session_count
from {{ ref('int_segments__web_paths') }}
group by path, last_step, is_product_seen, is_cart_filled, is_checkout_begun, is_ordered
