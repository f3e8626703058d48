select
    -- keys
    model_name,
    model_version,
    check_name,
    against,
    slice,
    metric,
    -- the figure
    value,
    ci_low,
    ci_high,
    -- what it is held against
    bound_low,
    bound_high,
    has_passed,
    -- what it rests on
    rows,
    positives,
    -- provenance
    run_id
from {{ ref('int_scores__model_decision_checks') }}
