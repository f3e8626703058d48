with events as (
    select * from {{ ref('stg_email__events') }}
)

select
    -- keys
    message_id,
    min(campaign_id) as campaign_id,
    min(loyalty_id) as loyalty_id,
    -- recipient
    min(email) as email,
    min(email_key) as email_key,
    -- first times
    min(case when event_type = 'sent' then occurred_at end) as sent_at,
    min(case when event_type = 'delivered' then occurred_at end) as delivered_at,
    min(case when event_type = 'opened' and not is_machine_open then occurred_at end) as opened_by_person_at,
    min(case when is_machine_open then occurred_at end) as opened_by_machine_at,
    min(case when event_type = 'clicked' and not is_machine_click then occurred_at end) as clicked_by_person_at,
    min(case when event_type = 'bounced' then occurred_at end) as bounced_at,
    min(case when event_type = 'unsubscribed' then occurred_at end) as unsubscribed_at,
    min(case when event_type = 'complained' then occurred_at end) as complained_at,
    -- what happened
    coalesce(max(case when bounce_type = 'hard' then 1 else 0 end) = 1, false) as is_hard_bounce,
    min(known_at) as first_known_at
from events
group by message_id
