-- How many came into each segment and left it, from one date of its evaluation to the next.

with evaluations as (
    select * from {{ ref('int_segments__evaluations') }}
),

facts as (
    select * from {{ ref('int_segments__facts') }}
),

periods as (
    select * from {{ ref('int_segments__periods') }}
),

members as (
    select
        segment_key,
        as_of_date,
        count(*) as member_count
    from facts
    group by segment_key, as_of_date
),

entered as (
    select
        segment_key,
        valid_from as as_of_date,
        count(*) as customer_count
    from periods
    group by segment_key, valid_from
),

exited as (
    select
        segment_key,
        valid_to as as_of_date,
        count(*) as customer_count
    from periods
    where valid_to is not null
    group by segment_key, valid_to
),

-- and the dates at which a segment was left out after it had members
dates as (
    select
        segment_key,
        as_of_date,
        segment_type,
        definition_hash,
        is_reconstructed
    from evaluations
    union all
    select
        periods.segment_key,
        periods.valid_to as as_of_date,
        periods.segment_type,
        cast(null as varchar) as definition_hash,
        false as is_reconstructed
    from periods
    left join evaluations
        on
            periods.segment_key = evaluations.segment_key
            and periods.valid_to = evaluations.as_of_date
    where periods.valid_to is not null and evaluations.segment_key is null
    group by periods.segment_key, periods.valid_to, periods.segment_type
),

placed as (
    select
        *,
        lag(as_of_date) over of_segment as previous_as_of_date,
        lag(definition_hash) over of_segment as previous_definition_hash
    from dates
    window of_segment as (
        partition by segment_key
        order by as_of_date
    )
)

select
    -- keys
    placed.segment_key,
    placed.as_of_date,
    placed.previous_as_of_date,
    -- what it is
    placed.segment_type,
    placed.definition_hash,
    placed.previous_as_of_date is not null
    and coalesce(placed.definition_hash, '') <> coalesce(placed.previous_definition_hash, '') as is_definition_changed,
    placed.is_reconstructed,
    -- counts
    cast(coalesce(members.member_count, 0) as integer) as member_count,
    -- nobody enters at the first date: where they came from was not looked at
    cast(case when placed.previous_as_of_date is not null then coalesce(entered.customer_count, 0) end as integer)
        as entered_count,
    cast(case when placed.previous_as_of_date is not null then coalesce(exited.customer_count, 0) end as integer)
        as exited_count
from placed
left join members
    on
        placed.segment_key = members.segment_key
        and placed.as_of_date = members.as_of_date
left join entered
    on
        placed.segment_key = entered.segment_key
        and placed.as_of_date = entered.as_of_date
left join exited
    on
        placed.segment_key = exited.segment_key
        and placed.as_of_date = exited.as_of_date
