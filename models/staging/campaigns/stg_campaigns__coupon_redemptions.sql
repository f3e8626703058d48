select
    loyalty_id,
    coupon_id,
    campaign_id,
    redeemed_on,
    load_id,
    known_at
from {{ ref('base_campaigns__coupon_redemptions') }}
where reject_reason is null
