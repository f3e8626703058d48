with landed as (
    select * from {{ visible_rows('consent_events') }}
),

read_out as (
    select
        consent_event_id,
        lower(trim(source_system)) as source_system,
        source_record_id,
        lower(trim(purpose)) as purpose,
        lower(trim(consent_action)) as consent_action,
        lower(trim(captured_by)) as captured_by,
        occurred_at,
        known_at,
        load_id,
        load_sequence
    from landed
),

judged as (
    select
        *,
        case
            when consent_event_id is null then 'consent_event_id is missing'
            when source_record_id is null then 'source_record_id is missing'
            when occurred_at is null then 'occurred_at is missing'
            when
                coalesce(source_system, '') not in ('crm_contacts', 'loyalty_members', 'web_users', 'web_visitors')
                then 'source_system is unknown'
            when
                coalesce(purpose, '') not in ('analytics', 'personalization', 'email', 'advertising')
                then 'purpose is unknown'
            when coalesce(consent_action, '') not in ('granted', 'withdrawn') then 'consent_action is unknown'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        end as problem
    from read_out
),

ranked as (
    {{ first_arrivals('judged', key=['consent_event_id'], content=[
        'source_system', 'source_record_id', 'purpose', 'consent_action', 'captured_by', 'occurred_at',
    ]) }}
)

select
    -- keys
    consent_event_id,
    source_system,
    source_record_id,
    load_id,
    -- what it is
    purpose,
    consent_action,
    captured_by,
    -- times
    occurred_at,
    known_at,
    -- verdict
    reject_reason
from ranked
