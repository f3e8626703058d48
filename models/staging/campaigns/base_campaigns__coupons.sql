with landed as (
    select * from {{ visible_rows('coupons') }}
),

judged as (
    select
        *,
        case
            when coupon_id is null or campaign_id is null or product_id is null then 'key is missing'
        end as problem
    from landed
),

ranked as (
    {{ first_arrivals('judged', key=['coupon_id', 'campaign_id', 'product_id']) }}
)

select
    coupon_id,
    campaign_id,
    product_id,
    load_id,
    known_at,
    -- verdict
    reject_reason
from ranked
