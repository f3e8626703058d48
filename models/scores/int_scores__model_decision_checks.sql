select
    model_name,
    model_version,
    check_name,
    against,
    slice,
    metric,
    value,
    ci_low,
    ci_high,
    bound_low,
    bound_high,
    rows,
    positives,
    has_passed,
    run_id
from {{ source('ml', 'model_decision_checks') }}
