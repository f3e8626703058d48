with events as (
    select * from {{ ref('base_email__events') }}
    where reject_reason is null
),

-- distinct: an address stands in tens of events and is read once
written_addresses as (
    select distinct email from events
),

addresses as (
    select
        email as written_email,
        {{ normalize_email('email') }} as plain_email
    from written_addresses
),

-- A filter instead of case would be pushed below the distinct, and each event's address read after all.
recipients as (
    select
        written_email,
        case when {{ is_email('plain_email') }} then plain_email end as email,
        case when {{ is_email('plain_email') }} then {{ email_key('plain_email') }} end as email_key
    from addresses
),

deliveries as (
    select
        message_id,
        min(occurred_at) as delivered_at
    from events
    where event_type = 'delivered'
    group by message_id
),

judged as (
    select
        events.*,
        recipients.email as recipient,
        recipients.email_key,
        events.event_type in ('opened', 'clicked') and (
            coalesce(
                events.occurred_at
                <= deliveries.delivered_at + interval {{ setting('normalization.machine_open_seconds') }} second,
                false
            )
            or {{ matches_any('lower(trim(events.user_agent))', setting_value('normalization.machine_user_agents')) }}
        ) as is_machine
    from events
    left join recipients on events.email = recipients.written_email
    left join deliveries on events.message_id = deliveries.message_id
)

select
    -- keys
    message_id,
    event_type,
    campaign_id,
    loyalty_id,
    load_id,
    -- recipient
    recipient as email,
    email_key,
    -- what it is
    is_machine and event_type = 'opened' as is_machine_open,
    is_machine and event_type = 'clicked' as is_machine_click,
    lower(trim(bounce_type)) as bounce_type,
    {{ normalize_url('link_url') }} as link_url,
    {{ url_parameter('link_url', 'utm_source') }} as utm_source,
    {{ url_parameter('link_url', 'utm_medium') }} as utm_medium,
    {{ url_parameter('link_url', 'utm_campaign') }} as utm_campaign,
    user_agent,
    -- times
    occurred_at,
    known_at
from judged
