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

versioned as (
    select
        *,
        row_number() over (
            partition by coupon_id, campaign_id, product_id
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
)

select
    coupon_id,
    campaign_id,
    product_id,
    load_id,
    known_at,
    -- verdict
    coalesce(problem, case when version_rank > 1 then 'exact duplicate' end) as reject_reason
from versioned
