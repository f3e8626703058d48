-- The weight of the mean of all customers, counted in campaigns: whoever ignored five mailings is put at half
-- the mean. Without it the rates 0/1 and 1/1 would stand at the two ends, and they are noise.
{% set prior_campaigns = 5 %}

-- noqa: disable=LT02
with population as (
    select
        customer_id,
        as_of_date,
        identity_basis
    from {{ ref('int_features__rfm').include(database=false) }}
),

computed as (
    select * from {{ ref('int_features__campaign').include(database=false) }}
),

joined as (
    select
        population.customer_id,
        population.as_of_date,
        population.identity_basis,
        coalesce(computed.campaigns_received, 0) as campaigns_received,
        coalesce(computed.campaigns_redeemed, 0) as campaigns_redeemed,
        coalesce(computed.coupons_redeemed, 0) as coupons_redeemed,
        computed.days_since_last_campaign,
        computed.days_since_last_redemption
    from population
    left join computed
        on
            population.customer_id = computed.customer_id
            and population.as_of_date = computed.as_of_date
),

sources as (
    {{ missing_sources(['campaigns', 'campaign_recipients']) }}
),

redemptions as (
    {{ missing_sources(['campaigns', 'campaign_recipients', 'coupon_redemptions']) }}
),

with_mean as (
    select
        *,
        coalesce(
            cast(sum(campaigns_redeemed) over of_date as double) / nullif(sum(campaigns_received) over of_date, 0), 0
        ) as mean_response_rate
    from joined
    window of_date as (partition by as_of_date)
)

select
    -- keys
    with_mean.customer_id,
    with_mean.as_of_date,
    with_mean.identity_basis,
    -- counts
    {{ unless_missing('with_mean.campaigns_received') }} as campaigns_received,
    {% for count in ['campaigns_redeemed', 'coupons_redeemed'] -%}
        {{ unless_missing('with_mean.' ~ count, 'redemptions') }} as {{ count }},
    {% endfor -%}
    -- time
    with_mean.days_since_last_campaign,
    with_mean.days_since_last_redemption,
    -- rates
    {{ unless_missing(
        '(with_mean.campaigns_redeemed + ' ~ prior_campaigns ~ ' * with_mean.mean_response_rate) '
        ~ '/ (with_mean.campaigns_received + ' ~ prior_campaigns ~ ')',
        'redemptions'
    ) }} as campaign_response_rate
from with_mean
inner join sources on with_mean.as_of_date = sources.as_of_date
inner join redemptions on with_mean.as_of_date = redemptions.as_of_date
