with customer_index as (
    select * from {{ ref('master_customer_index') }}
    where valid_to is null
),

-- two cards of one customer may be on the list of the same campaign
recipients as (
    select
        customer_index.customer_id,
        mailed.campaign_id,
        min(campaigns.starts_on) as starts_on
    from {{ ref('stg_campaigns__recipients') }} as mailed
    inner join {{ ref('stg_campaigns__campaigns') }} as campaigns on mailed.campaign_id = campaigns.campaign_id
    inner join customer_index
        on
            customer_index.source_system = 'campaign_recipients'
            and mailed.loyalty_id = customer_index.source_record_id
    group by customer_index.customer_id, mailed.campaign_id
),

redeemed as (
    select
        customer_index.customer_id,
        redemptions.campaign_id,
        count(*) as coupons_redeemed,
        min(redemptions.redeemed_on) as first_redeemed_on
    from {{ ref('stg_campaigns__coupon_redemptions') }} as redemptions
    inner join customer_index
        on
            customer_index.source_system = 'coupon_redemptions'
            and redemptions.loyalty_id = customer_index.source_record_id
    group by customer_index.customer_id, redemptions.campaign_id
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
