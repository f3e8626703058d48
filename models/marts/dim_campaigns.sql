with campaigns as (
    select * from {{ ref('stg_campaigns__campaigns') }}
),

coupons as (
    select * from {{ ref('stg_campaigns__coupons') }}
),

offered as (
    select
        campaign_id,
        -- distinct: a coupon stands once for each product it is good for
        count(distinct coupon_id) as coupon_count,
        count(distinct product_id) as product_count
    from coupons
    group by campaign_id
)

select
    -- keys
    campaigns.campaign_id,
    -- what it is
    campaigns.campaign_type,
    cast(coalesce(offered.coupon_count, 0) as integer) as coupon_count,
    cast(coalesce(offered.product_count, 0) as integer) as product_count,
    -- when
    campaigns.starts_on,
    campaigns.ends_on
from campaigns
left join offered on campaigns.campaign_id = offered.campaign_id
