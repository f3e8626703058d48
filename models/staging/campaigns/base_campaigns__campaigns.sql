with landed as (
    select * from {{ visible_rows('campaigns') }}
),

judged as (
    select
        *,
        case
            when campaign_id is null then 'campaign_id is missing'
            when starts_on is null or ends_on is null then 'starts_on or ends_on is missing'
            when ends_on < starts_on then 'the campaign ends before it starts'
        end as problem
    from landed
),

versioned as (
    select
        *,
        row_number() over (
            partition by campaign_id
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
)

select
    campaign_id,
    campaign_type,
    starts_on,
    ends_on,
    load_id,
    known_at,
    -- verdict
    coalesce(problem, case when version_rank > 1 then 'a later version of this key stands' end) as reject_reason
from versioned
