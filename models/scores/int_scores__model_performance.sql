select
    model_name,
    model_version,
    as_of_date,
    slice,
    metric,
    value,
    ci_low,
    ci_high,
    baseline_name,
    baseline,
    rows,
    positives,
    is_champion,
    run_id
from {{ source('ml', 'model_performance') }}
