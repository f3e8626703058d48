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
    known_at
from {{ ref('base_consent__events') }}
where reject_reason is null
