with landed as (
    select * from {{ visible_rows('support_tickets') }}
),

judged as (
    select
        *,
        case
            when ticket_id is null then 'ticket_id is missing'
            when occurred_at is null then 'occurred_at is missing'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        end as problem
    from landed
),

ranked as (
    {{ first_arrivals('judged', key=['ticket_id', 'known_at'], content=[
        'occurred_at', 'contact_id', 'loyalty_id', 'email', 'order_id', 'channel', 'category', 'priority', 'status',
        'solved_at', 'satisfaction',
    ]) }}
)

select
    -- keys
    ticket_id,
    contact_id,
    loyalty_id,
    order_id,
    load_id,
    -- what it is
    email,
    lower(trim(channel)) as channel,
    lower(trim(category)) as category,
    lower(trim(priority)) as priority,
    lower(trim(status)) as ticket_status,
    satisfaction,
    -- times
    occurred_at,
    solved_at,
    known_at,
    -- verdict
    reject_reason
from ranked
