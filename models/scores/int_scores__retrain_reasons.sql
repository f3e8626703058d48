select
    model_name,
    model_version,
    as_of_date,
    reason_number,
    reason,
    run_id
from {{ source('ml', 'retrain_reasons') }}
