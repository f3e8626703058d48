-- Customer ids that nobody has any more, and who has their anchor now. An id is made from its anchor, so it never leads
-- to two customers.

with memberships as (
    select * from {{ ref('int_identity__memberships') }}
    where valid_to is null or valid_to > valid_from
),

current_memberships as (
    select * from memberships
    where valid_to is null
),

had as (
    select
        customer_id,
        max(valid_to) as retired_at
    from memberships
    where
        customer_id is not null
        and {{ is_among('int_identity__touched_customers', 'customer_id') }}
    group by customer_id
    having count(*) = count(valid_to)
)

select
    -- keys
    had.customer_id as retired_customer_id,
    -- null: the record that it was made from is gone, or nobody's
    current_memberships.customer_id,
    -- when
    had.retired_at
from had
left join current_memberships on had.customer_id = {{ customer_id_of('current_memberships.source_record_key') }}
