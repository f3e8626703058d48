with recipients as (
    select * from {{ ref('int_activity__campaign_recipients') }}
),

redemptions as (
    select * from {{ ref('int_activity__coupon_redemptions') }}
),

redeemed as (
    select
        customer_id,
        campaign_id,
        count(*) as coupons_redeemed,
        min(redeemed_on) as first_redeemed_on
    from redemptions
    group by customer_id, campaign_id
)

select
    -- keys
    recipients.customer_id,
    recipients.campaign_id,
    -- when
    recipients.starts_on,
    redeemed.first_redeemed_on,
    -- what came of it
    cast(coalesce(redeemed.coupons_redeemed, 0) as integer) as coupons_redeemed,
    redeemed.coupons_redeemed is not null as has_redeemed
from recipients
left join redeemed
    on
        recipients.customer_id = redeemed.customer_id
        and recipients.campaign_id = redeemed.campaign_id
