with landed as (
    select * from {{ visible_rows('campaign_recipients') }}
),

judged as (
    select
        *,
        case
            when campaign_id is null or nullif(trim(loyalty_id), '') is null then 'key is missing'
        end as problem
    from landed
),

versioned as (
    select
        *,
        row_number() over (
            partition by campaign_id, loyalty_id
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
)

select
    campaign_id,
    -- an empty card number is none: taken as one, it would make one customer of all who have none
    nullif(trim(loyalty_id), '') as loyalty_id,
    load_id,
    known_at,
    -- verdict
    coalesce(problem, case when version_rank > 1 then 'exact duplicate' end) as reject_reason
from versioned
