-- How large each segment is now, and whether that says something.

with catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

facts as (
    select * from {{ ref('int_segments__facts') }}
),

evaluated as (
    select * from {{ ref('int_segments__evaluated') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

customers as (
    select count(*) as customer_count from {{ ref('int_identity__customers') }}
),

members as (
    select
        facts.segment_key,
        count(*) as member_count
    from facts
    inner join as_of_dates on facts.as_of_date = as_of_dates.as_of_date
    group by facts.segment_key
),

by_form as (
    select
        evaluated.segment_key,
        evaluated.threshold_form,
        count(*) as member_count
    from evaluated
    inner join as_of_dates on evaluated.as_of_date = as_of_dates.as_of_date
    group by evaluated.segment_key, evaluated.threshold_form
),

sized as (
    select
        catalog.segment_key,
        catalog.segment_type,
        catalog.missing_reason,
        catalog.min_members,
        coalesce(members.member_count, 0) as member_count,
        cast(coalesce(members.member_count, 0) as double) / customers.customer_count as customer_share,
        case when catalog.has_two_forms then coalesce(by_form.member_count, 0) end as other_form_member_count
    from catalog
    cross join customers
    left join members on catalog.segment_key = members.segment_key
    left join by_form
        on
            catalog.segment_key = by_form.segment_key
            and catalog.threshold_form <> by_form.threshold_form
)

select
    -- keys
    segment_key,
    -- size
    cast(member_count as integer) as member_count,
    customer_share,
    cast(other_form_member_count as integer) as other_form_member_count,
    -- what that says
    case
        when missing_reason like 'it ended:%' then 'ended'
        when missing_reason is not null then 'switched off'
        when segment_type = 'rule' and customer_share > {{ setting('segments.not_informative_share') }}
            then 'not informative here'
        when member_count = 0 or member_count < min_members then 'not informative here'
        else 'ok'
    end as status,
    case
        when missing_reason is not null then missing_reason
        when segment_type = 'rule' and customer_share > {{ setting('segments.not_informative_share') }}
            then 'nearly everybody is in it'
        when member_count = 0 then 'nobody is in it'
        when member_count < min_members then 'fewer than ' || min_members || ' members'
    end as status_reason
from sized
