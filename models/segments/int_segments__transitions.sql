-- From which primary segment to which customers went between two dates of evaluation, by the priorities of today.

with facts as (
    select * from {{ ref('int_segments__facts') }}
),

catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

sizes as (
    select * from {{ ref('int_segments__sizes') }}
    where status = 'ok'
),

evaluations as (
    select * from {{ ref('int_segments__evaluations') }}
),

dates as (
    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as previous_as_of_date
    from (select distinct as_of_date from evaluations) as evaluated
),

ranked as (
    select
        facts.customer_id,
        facts.as_of_date,
        facts.segment_key,
        row_number() over (
            partition by facts.customer_id, facts.as_of_date
            order by catalog.priority, facts.segment_key
        ) as place
    from facts
    inner join catalog on facts.segment_key = catalog.segment_key
    inner join sizes on facts.segment_key = sizes.segment_key
),

primary_segments as (
    select * from ranked
    where place = 1
),

steps as (
    select
        dates.as_of_date,
        dates.previous_as_of_date,
        primary_segments.customer_id,
        primary_segments.segment_key as to_segment_key,
        cast(null as varchar) as from_segment_key
    from primary_segments
    inner join dates on primary_segments.as_of_date = dates.as_of_date
    where dates.previous_as_of_date is not null
    union all
    select
        dates.as_of_date,
        dates.previous_as_of_date,
        primary_segments.customer_id,
        cast(null as varchar) as to_segment_key,
        primary_segments.segment_key as from_segment_key
    from primary_segments
    inner join dates on primary_segments.as_of_date = dates.previous_as_of_date
),

by_customer as (
    select
        as_of_date,
        previous_as_of_date,
        customer_id,
        coalesce(max(from_segment_key), 'none') as from_segment_key,
        coalesce(max(to_segment_key), 'none') as to_segment_key
    from steps
    group by as_of_date, previous_as_of_date, customer_id
)

select
    -- keys
    as_of_date,
    from_segment_key,
    to_segment_key,
    -- since when
    previous_as_of_date,
    -- counts
    cast(count(*) as integer) as customer_count
from by_customer
group by as_of_date, previous_as_of_date, from_segment_key, to_segment_key
