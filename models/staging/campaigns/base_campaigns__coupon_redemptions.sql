with landed as (
    select * from {{ visible_rows('coupon_redemptions') }}
),

judged as (
    select
        *,
        case
            when nullif(trim(loyalty_id), '') is null or coupon_id is null or campaign_id is null then 'key is missing'
            when redeemed_on is null then 'redeemed_on is missing'
        end as problem
    from landed
),

versioned as (
    select
        *,
        row_number() over (
            partition by loyalty_id, coupon_id, campaign_id, redeemed_on
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
)

select
    -- an empty card number is none: taken as one, it would make one customer of all who have none
    nullif(trim(loyalty_id), '') as loyalty_id,
    coupon_id,
    campaign_id,
    redeemed_on,
    load_id,
    known_at,
    -- verdict
    coalesce(problem, case when version_rank > 1 then 'exact duplicate' end) as reject_reason
from versioned
