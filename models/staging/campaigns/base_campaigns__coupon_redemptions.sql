with landed as (
    select * from {{ visible_rows('coupon_redemptions') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by loyalty_id, coupon_id, campaign_id, redeemed_on
            order by known_at desc, load_sequence desc
        ) as version_rank
    from landed
)

select
    loyalty_id,
    coupon_id,
    campaign_id,
    redeemed_on,
    load_id,
    known_at,
    -- verdict
    case
        when loyalty_id is null or coupon_id is null or campaign_id is null then 'key is missing'
        when redeemed_on is null then 'redeemed_on is missing'
        when version_rank > 1 then 'exact duplicate'
    end as reject_reason
from versioned
