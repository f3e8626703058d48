select
    coupon_id,
    campaign_id,
    product_id,
    load_id,
    known_at
from {{ ref('base_campaigns__coupons') }}
where reject_reason is null
