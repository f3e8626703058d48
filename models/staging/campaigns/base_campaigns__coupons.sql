with landed as (
    select * from {{ visible_rows('coupons') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by coupon_id, campaign_id, product_id
            order by known_at desc, load_sequence desc
        ) as version_rank
    from landed
)

select
    coupon_id,
    campaign_id,
    product_id,
    load_id,
    known_at,
    -- verdict
    case
        when coupon_id is null or campaign_id is null or product_id is null then 'key is missing'
        when version_rank > 1 then 'exact duplicate'
    end as reject_reason
from versioned
