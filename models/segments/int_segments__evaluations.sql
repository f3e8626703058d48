-- Which segments were evaluated at which as-of dates, with the number of members and a hash of who they are. A segment
-- that nobody was in is here too.

with due as (
    select * from {{ ref('int_segments__due') }}
),

history as (
    select * from {{ ref('int_segments__history') }}
),

counted as (
    select
        segment_key,
        as_of_date,
        count(*) as member_count,
        {{ hash_of_keys('customer_id') }} as members_hash
    from history
    group by segment_key, as_of_date
)

select
    -- keys
    due.segment_key,
    due.as_of_date,
    -- what it is
    due.segment_type,
    due.definition_hash,
    due.is_reconstructed,
    -- who is in it
    cast(coalesce(counted.member_count, 0) as bigint) as member_count,
    coalesce(counted.members_hash, 'nobody') as members_hash
from due
left join counted
    on
        due.segment_key = counted.segment_key
        and due.as_of_date = counted.as_of_date
