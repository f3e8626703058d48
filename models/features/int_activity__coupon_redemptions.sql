with redemptions as (
    select * from {{ ref('stg_campaigns__coupon_redemptions') }}
),

customers as (
    select
        source_record_id,
        customer_id
    from {{ ref('master_customer_index') }}
    where
        source_system = 'coupon_redemptions'
        and valid_to is null
),

resolved as (
    select
        customers.customer_id,
        redemptions.campaign_id,
        redemptions.coupon_id,
        redemptions.redeemed_on
    from redemptions
    inner join customers
        on redemptions.loyalty_id = customers.source_record_id
)

select
    -- keys
    customer_id,
    campaign_id,
    coupon_id,
    -- dates
    redeemed_on
from resolved
