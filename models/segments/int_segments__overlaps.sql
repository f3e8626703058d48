-- Which segments share how many members now: every ordered pair that shares any.

with memberships as (
    select * from {{ ref('int_segments__memberships') }}
),

sizes as (
    select * from {{ ref('int_segments__sizes') }}
),

customers as (
    select count(*) as customer_count from {{ ref('int_identity__customers') }}
),

shared as (
    select
        memberships.segment_key,
        others.segment_key as other_segment_key,
        count(*) as shared_count
    from memberships
    inner join memberships as others on memberships.customer_id = others.customer_id
    where memberships.segment_key <> others.segment_key
    group by memberships.segment_key, others.segment_key
)

select
    -- keys
    shared.segment_key,
    shared.other_segment_key,
    -- counts
    cast(shared.shared_count as integer) as shared_count,
    -- shares
    cast(shared.shared_count as double) / sizes.member_count as share_of_segment,
    cast(shared.shared_count as double) / (sizes.member_count + other_sizes.member_count - shared.shared_count)
        as jaccard,
    -- how much more often than by chance
    cast(shared.shared_count as double) * customers.customer_count / sizes.member_count / other_sizes.member_count
        as lift
from shared
cross join customers
inner join sizes on shared.segment_key = sizes.segment_key
inner join sizes as other_sizes on shared.other_segment_key = other_sizes.segment_key
