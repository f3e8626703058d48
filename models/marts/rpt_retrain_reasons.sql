select
    -- keys
    model_name,
    model_version,
    as_of_date,
    reason_number,
    -- why
    reason,
    -- provenance
    run_id
from {{ ref('int_scores__retrain_reasons') }}
