select
    model_name,
    model_version,
    as_of_date,
    reference_date,
    kind,
    name,
    effect,
    population_stability_index,
    p_value,
    min_effect,
    is_alarm,
    run_id
from {{ source('ml', 'model_drift') }}
