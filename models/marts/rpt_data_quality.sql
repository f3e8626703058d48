select
    -- keys
    gate,
    expectation,
    table_name,
    column_name,
    -- what was found
    success,
    observed_value,
    threshold,
    severity,
    -- provenance
    run_id,
    run_at
from {{ source('quality', 'gate_results') }}
