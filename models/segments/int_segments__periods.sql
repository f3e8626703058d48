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
),

-- the dates at which segments of a type were evaluated: one that was left out at such a date had no members then
calendar as (
    select
        segment_type,
        as_of_date,
        row_number() over (
            partition by segment_type
            order by as_of_date
        ) as date_number
    from evaluations
    group by segment_type, as_of_date
),

followed as (
    select
        calendar.segment_type,
        calendar.as_of_date,
        calendar.date_number,
        -- behind the last one: a date of features at which nothing of the type was evaluated
        coalesce(min(later.as_of_date), min(as_of_dates.as_of_date)) as next_date
    from calendar
    left join calendar as later
        on
            calendar.segment_type = later.segment_type
            and calendar.date_number + 1 = later.date_number
    left join as_of_dates on calendar.as_of_date < as_of_dates.as_of_date
    group by calendar.segment_type, calendar.as_of_date, calendar.date_number
),

numbered as (
    select
        evaluations.segment_key,
        evaluations.as_of_date,
        evaluations.segment_type,
        evaluations.is_reconstructed,
        followed.date_number,
        followed.next_date
    from evaluations
    inner join followed
        on
            evaluations.segment_type = followed.segment_type
            and evaluations.as_of_date = followed.as_of_date
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
