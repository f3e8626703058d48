select
    -- keys
    load_id,
    load_sequence,
    -- what it is
    source as load_source,
    load_date,
    known_at_is_assumed,
    contract_version,
    coalesce(is_synthetic, false) as is_synthetic,
    tables as rows_by_table,
    row_count
from {{ source('landing', 'loads') }}
