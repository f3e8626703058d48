select
    -- keys
    provider,
    attribute,
    source_system,
    source_record_id,
    load_id,
    -- what it is
    {{ clean_text('attribute_value') }} as attribute_value,
    -- times
    occurred_at as observed_at,
    known_at
from {{ ref('base_external__attributes') }}
where reject_reason is null
