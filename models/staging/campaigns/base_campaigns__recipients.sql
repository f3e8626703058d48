with landed as (
    select * from {{ visible_rows('campaign_recipients') }}
),

judged as (
    select
        *,
        case
            when campaign_id is null or loyalty_id is null then 'key is missing'
        end as problem
    from landed
),

ranked as (
    {{ first_arrivals('judged', key=['campaign_id', 'loyalty_id']) }}
)

select
    campaign_id,
    loyalty_id,
    load_id,
    known_at,
    -- verdict
    reject_reason
from ranked
