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

{{ versions_of('judged', keys=['campaign_id'], content=['campaign_type', 'starts_on', 'ends_on']) }}

select
    campaign_id,
    campaign_type,
    starts_on,
    ends_on,
    load_id,
    known_at,
    -- verdict
    {{ reject_reason() }} as reject_reason
from versions
