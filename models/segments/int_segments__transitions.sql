-- From which primary segment to which customers went between two dates of evaluation: of the segments that said
-- something at the date, the first by the priorities of today. Where other segments were evaluated at the two dates, or
-- by another definition, the step says so: then not only customers have changed.

with facts as (
    select * from {{ ref('int_segments__facts') }}
),

catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

evaluations as (
    select * from {{ ref('int_segments__evaluations') }}
),

customers as (
    select
        as_of_date,
        count(*) as customer_count
    from {{ ref('feat_customer_profile') }}
    group by as_of_date
),

-- what said something then: no rule that holds nearly everybody, and nothing below its floor
informative as (
    select
        evaluations.segment_key,
        evaluations.as_of_date,
        catalog.priority
    from evaluations
    inner join catalog on evaluations.segment_key = catalog.segment_key
    left join customers on evaluations.as_of_date = customers.as_of_date
    where
        evaluations.member_count >= catalog.min_members
        and (
            evaluations.segment_type = 'cluster'
            or customers.customer_count is null
            or evaluations.member_count
            <= {{ setting('segments.not_informative_share') }} * customers.customer_count
        )
),

evaluated_dates as (
    select
        as_of_date,
        {{ hash_of_keys("segment_key || ' ' || definition_hash") }} as definitions
    from evaluations
    group by as_of_date
),

dates as (
    select
        as_of_date,
        lag(as_of_date) over (order by as_of_date) as previous_as_of_date,
        definitions <> coalesce(lag(definitions) over (order by as_of_date), '') as is_definition_changed
    from evaluated_dates
),

ranked as (
    select
        facts.customer_id,
        facts.as_of_date,
        facts.segment_key,
        row_number() over (
            partition by facts.customer_id, facts.as_of_date
            order by informative.priority, facts.segment_key
        ) as place
    from facts
    inner join informative
        on
            facts.segment_key = informative.segment_key
            and facts.as_of_date = informative.as_of_date
),

primary_segments as (
    select * from ranked
    where place = 1
),

steps as (
    select
        dates.as_of_date,
        dates.previous_as_of_date,
        dates.is_definition_changed,
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
        dates.is_definition_changed,
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
        is_definition_changed,
        customer_id,
        coalesce(max(from_segment_key), 'none') as from_segment_key,
        coalesce(max(to_segment_key), 'none') as to_segment_key
    from steps
    group by as_of_date, previous_as_of_date, is_definition_changed, customer_id
)

select
    -- keys
    as_of_date,
    from_segment_key,
    to_segment_key,
    -- since when
    previous_as_of_date,
    is_definition_changed,
    -- counts
    cast(count(*) as integer) as customer_count
from by_customer
group by as_of_date, previous_as_of_date, is_definition_changed, from_segment_key, to_segment_key
