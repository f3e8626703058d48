with catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

memberships as (
    select * from {{ ref('int_segments__memberships') }}
),

customers as (
    select count(*) as customer_count from {{ ref('int_identity__customers') }}
),

members as (
    select
        segment_key,
        count(*) as member_count
    from memberships
    group by segment_key
),

sized as (
    select
        catalog.*,
        coalesce(members.member_count, 0) as member_count,
        cast(coalesce(members.member_count, 0) as double) / customers.customer_count as customer_share
    from catalog
    cross join customers
    left join members on catalog.segment_key = members.segment_key
)

select
    -- keys
    segment_key,
    parent_segment_key,
    -- what it is
    segment_name,
    segment_type,
    description,
    suggested_action,
    owner,
    priority,
    -- size
    cast(member_count as integer) as member_count,
    customer_share,
    case
        when segment_type = 'rule' and customer_share > {{ setting('segments.not_informative_share') }}
            then 'not informative here'
        when member_count < {{ setting('segments.min_members') }} then 'too small'
        else 'ok'
    end as size_verdict
from sized
