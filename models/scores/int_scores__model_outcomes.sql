select
    model_name,
    model_version,
    as_of_date,
    matured_on,
    metric,
    value,
    ci_low,
    ci_high,
    expected,
    promised,
    margin,
    p_value,
    is_degraded,
    rows,
    positives,
    run_id
from {{ source('ml', 'model_outcomes') }}
