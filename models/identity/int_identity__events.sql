-- What happened to customers: births, merges (the id leads on to another one) and splits (records left).

-- All that happened to a record that one of the customers ever had.
with theirs as (
    select source_record_key from {{ ref('int_identity__memberships') }}
    where {{ is_among('int_identity__touched_customers', 'customer_id') }}
),

memberships as (
    select
        *,
        lag(customer_id) over changes as earlier_customer_id
    from {{ ref('int_identity__memberships') }}
    -- a state of no duration is none
    where
        (valid_to is null or valid_to > valid_from)
        and source_record_key in (select theirs.source_record_key from theirs)
    window changes as (
        partition by source_record_key
        order by valid_from asc, promotion_number asc nulls last
    )
),

births as (
    select
        'birth' as event_type,
        customer_id,
        cast(null as varchar) as other_customer_id,
        min(valid_from) as happened_at
    from memberships
    where customer_id is not null
    group by customer_id
),

born as (
    select
        births.*,
        memberships.is_assumed,
        memberships.match_rule,
        memberships.promotion_number
    from births
    inner join memberships
        on
            births.customer_id = memberships.customer_id
            and births.happened_at = memberships.valid_from
),

moves as (
    select
        earlier_customer_id as customer_id,
        customer_id as other_customer_id,
        valid_from as happened_at,
        is_assumed,
        match_rule,
        promotion_number,
        case when earlier_customer_id = {{ customer_id_of('source_record_key') }} then 1 else 0 end as is_anchor
    from memberships
    where
        earlier_customer_id is not null
        and earlier_customer_id is distinct from customer_id
),

events as (
    select
        event_type,
        customer_id,
        other_customer_id,
        happened_at,
        is_assumed,
        match_rule,
        promotion_number,
        0 as is_anchor
    from born
    union all
    select
        'move' as event_type,
        customer_id,
        other_customer_id,
        happened_at,
        is_assumed,
        match_rule,
        promotion_number,
        is_anchor
    from moves
)

select
    -- what
    case
        when event_type = 'birth' then 'birth'
        when max(is_anchor) = 1 then 'merge'
        else 'split'
    end as event_type,
    customer_id,
    other_customer_id,
    -- when
    happened_at,
    max(case when is_assumed then 1 else 0 end) = 1 as is_assumed,
    -- why
    count(*) as record_count,
    max(match_rule) as evidence,
    -- which promotion recorded it; null = none yet
    max(promotion_number) as promotion_number
from events
where {{ is_among('int_identity__touched_customers', 'customer_id') }}
group by event_type, customer_id, other_customer_id, happened_at
