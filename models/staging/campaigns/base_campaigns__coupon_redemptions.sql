with landed as (
    select * from {{ visible_rows('coupon_redemptions') }}
),

judged as (
    select
        *,
        case
            when loyalty_id is null or coupon_id is null or campaign_id is null then 'key is missing'
            when redeemed_on is null then 'redeemed_on is missing'
        end as problem
    from landed
),

ranked as (
    {{ first_arrivals('judged', key=['loyalty_id', 'coupon_id', 'campaign_id', 'redeemed_on']) }}
)

select
    loyalty_id,
    coupon_id,
    campaign_id,
    redeemed_on,
    load_id,
    known_at,
    -- verdict
    reject_reason
from ranked
