with landed as (
    select * from {{ visible_rows('email_events') }}
),

judged as (
    select
        *,
        lower(trim(event_type)) as plain_event_type,
        case
            when message_id is null then 'message_id is missing'
            when occurred_at is null then 'occurred_at is missing'
            when
                coalesce(lower(trim(event_type)), '')
                not in ('sent', 'delivered', 'opened', 'clicked', 'bounced', 'unsubscribed', 'complained')
                then 'event_type is unknown'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        end as problem
    from landed
),

ranked as (
    {{ first_arrivals('judged', key=['message_id', 'plain_event_type', 'occurred_at'], content=[
        'campaign_id', 'loyalty_id', 'email', 'link_url', 'bounce_type', 'user_agent',
    ]) }}
)

select
    -- keys
    message_id,
    plain_event_type as event_type,
    campaign_id,
    loyalty_id,
    load_id,
    -- what it is
    email,
    link_url,
    bounce_type,
    user_agent,
    -- times
    occurred_at,
    known_at,
    -- verdict
    reject_reason
from ranked
