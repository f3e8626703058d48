select
    -- keys
    model_name,
    model_version,
    as_of_date,
    matured_on,
    metric,
    -- the figure
    value,
    ci_low,
    ci_high,
    expected,
    promised,
    -- the verdict
    margin,
    p_value,
    is_degraded,
    -- what it rests on
    rows,
    positives,
    -- provenance
    run_id
from {{ ref('int_scores__model_outcomes') }}
