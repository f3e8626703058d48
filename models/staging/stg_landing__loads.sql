select
    -- keys
    load_id,
    load_sequence,
    -- what it is
    source as load_source,
    load_date,
    known_at_is_assumed,
    contract_version,
    row_count
from {{ source('landing', 'loads') }}
