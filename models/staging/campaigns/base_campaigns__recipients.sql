with landed as (
    select * from {{ visible_rows('campaign_recipients') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by campaign_id, loyalty_id
            order by known_at desc, load_sequence desc
        ) as version_rank
    from landed
)

select
    campaign_id,
    loyalty_id,
    load_id,
    known_at,
    -- verdict
    case
        when campaign_id is null or loyalty_id is null then 'key is missing'
        when version_rank > 1 then 'exact duplicate'
    end as reject_reason
from versioned
