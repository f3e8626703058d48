select
    -- keys
    model_name,
    model_version,
    as_of_date,
    slice,
    metric,
    -- the figure
    value,
    ci_low,
    ci_high,
    baseline_name,
    baseline,
    -- what it rests on
    rows,
    positives,
    is_champion,
    -- provenance
    run_id
from {{ ref('int_scores__model_performance') }}
