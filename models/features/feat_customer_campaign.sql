-- The weight of the mean of all customers, counted in campaigns: whoever ignored five mailings is put at half
-- the mean. Without it the rates 0/1 and 1/1 would stand at the two ends, and they are noise.
{% set prior_campaigns = 5 %}

with population as (
    select
        customer_id,
        as_of_date
    from {{ ref('feat_customer_rfm') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

recipients as (
    select * from {{ ref('int_activity__campaign_recipients') }}
),

redemptions as (
    select * from {{ ref('int_activity__coupon_redemptions') }}
),

received as (
    select
        recipients.customer_id,
        as_of_dates.as_of_date,
        count(*) as campaigns_received,
        max(recipients.starts_on) as last_starts_on
    from as_of_dates
    inner join recipients
        on as_of_dates.as_of_date > recipients.starts_on
    group by recipients.customer_id, as_of_dates.as_of_date
),

campaign_redemptions as (
    select
        customer_id,
        campaign_id,
        redeemed_on,
        -- a campaign counts once, on the day of its first coupon
        case
            when row_number() over (
                partition by customer_id, campaign_id
                order by redeemed_on, coupon_id
            ) = 1 then 1
            else 0
        end as is_first_of_campaign
    from redemptions
),

redeemed as (
    select
        campaign_redemptions.customer_id,
        as_of_dates.as_of_date,
        sum(campaign_redemptions.is_first_of_campaign) as campaigns_redeemed,
        count(*) as coupons_redeemed,
        max(campaign_redemptions.redeemed_on) as last_redeemed_on
    from as_of_dates
    inner join campaign_redemptions
        on as_of_dates.as_of_date > campaign_redemptions.redeemed_on
    group by campaign_redemptions.customer_id, as_of_dates.as_of_date
),

joined as (
    select
        population.customer_id,
        population.as_of_date,
        received.last_starts_on,
        redeemed.last_redeemed_on,
        coalesce(received.campaigns_received, 0) as campaigns_received,
        coalesce(redeemed.campaigns_redeemed, 0) as campaigns_redeemed,
        coalesce(redeemed.coupons_redeemed, 0) as coupons_redeemed
    from population
    left join received
        on
            population.customer_id = received.customer_id
            and population.as_of_date = received.as_of_date
    left join redeemed
        on
            population.customer_id = redeemed.customer_id
            and population.as_of_date = redeemed.as_of_date
),

mean_responses as (
    select
        as_of_date,
        case
            when sum(campaigns_received) > 0
                then cast(sum(campaigns_redeemed) as double) / cast(sum(campaigns_received) as double)
            else 0.0
        end as mean_response_rate
    from joined
    group by as_of_date
)

select
    -- keys
    joined.customer_id,
    joined.as_of_date,
    -- counts
    cast(joined.campaigns_received as integer) as campaigns_received,
    cast(joined.campaigns_redeemed as integer) as campaigns_redeemed,
    cast(joined.coupons_redeemed as integer) as coupons_redeemed,
    -- time
    cast(joined.as_of_date - joined.last_starts_on as integer) as days_since_last_campaign,
    cast(joined.as_of_date - joined.last_redeemed_on as integer) as days_since_last_redemption,
    -- rates
    (joined.campaigns_redeemed + {{ prior_campaigns }} * mean_responses.mean_response_rate)
    / (joined.campaigns_received + {{ prior_campaigns }}) as campaign_response_rate
from joined
inner join mean_responses
    on joined.as_of_date = mean_responses.as_of_date
