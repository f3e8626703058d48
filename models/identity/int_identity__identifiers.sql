-- Today every source names people by their loyalty card; e-mail, phone and device ids become further branches.
select
    -- keys
    source_record_key,
    'loyalty_id' as identifier_type,
    trim(source_record_id) as identifier_value,
    -- when
    first_load_sequence,
    first_seen_at,
    last_seen_at
from {{ ref('int_identity__source_records') }}
where trim(source_record_id) <> ''
