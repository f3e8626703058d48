-- From when to when each customer was in each segment, by the dates at which it was evaluated: from the first at which
-- they were in it up to the first at which they no longer were.

with facts as (
    select * from {{ ref('int_segments__facts') }}
),

evaluations as (
    select * from {{ ref('int_segments__evaluations') }}
),

as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
    union
    select as_of_date from evaluations
),

dates as (
    select
        as_of_date,
        lead(as_of_date) over (order by as_of_date) as next_date
    from as_of_dates
),

numbered as (
    select
        evaluations.segment_key,
        evaluations.as_of_date,
        evaluations.segment_type,
        evaluations.is_reconstructed,
        row_number() over of_segment as date_number,
        -- a segment that is no longer evaluated has no members from the next date on
        coalesce(lead(evaluations.as_of_date) over of_segment, dates.next_date) as next_date
    from evaluations
    inner join dates on evaluations.as_of_date = dates.as_of_date
    window of_segment as (
        partition by evaluations.segment_key
        order by evaluations.as_of_date
    )
),

members as (
    select
        facts.customer_id,
        facts.segment_key,
        numbered.as_of_date,
        numbered.next_date,
        numbered.segment_type,
        numbered.is_reconstructed,
        -- the same for dates that follow one another
        numbered.date_number - row_number() over (
            partition by facts.customer_id, facts.segment_key
            order by numbered.date_number
        ) as period_number
    from facts
    inner join numbered
        on
            facts.segment_key = numbered.segment_key
            and facts.as_of_date = numbered.as_of_date
)

select
    -- keys
    customer_id,
    segment_key,
    min(as_of_date) as valid_from,
    case when count(next_date) = count(*) then max(next_date) end as valid_to,
    -- what it is
    min(segment_type) as segment_type,
    max(case when is_reconstructed then 1 else 0 end) = 1 as is_reconstructed
from members
group by customer_id, segment_key, period_number
