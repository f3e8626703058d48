-- Who is in which segment now, since when, and what the member has agreed to. One segment a customer is the primary
-- one: of those that say something here, the one that comes first by priority.

with facts as (
    select * from {{ ref('int_segments__facts') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

sizes as (
    select * from {{ ref('int_segments__sizes') }}
),

periods as (
    select * from {{ ref('int_segments__periods') }}
    where valid_to is null
),

consents as (
    select * from {{ ref('int_segments__consents') }}
)

select
    -- keys
    facts.customer_id,
    facts.segment_key,
    facts.as_of_date,
    -- what it is
    catalog.segment_type,
    periods.valid_from,
    sizes.status = 'ok' and row_number() over (
        partition by facts.customer_id
        order by case when sizes.status = 'ok' then 0 else 1 end, catalog.priority, facts.segment_key
    ) = 1 as is_primary,
    -- consent
    consents.may_mail,
    consents.may_advertise,
    consents.may_personalize,
    consents.may_analyze
from facts
inner join as_of_dates on facts.as_of_date = as_of_dates.as_of_date
inner join catalog on facts.segment_key = catalog.segment_key
inner join sizes on facts.segment_key = sizes.segment_key
inner join periods
    on
        facts.customer_id = periods.customer_id
        and facts.segment_key = periods.segment_key
left join consents on facts.customer_id = consents.customer_id
