select
    -- keys
    model_name,
    model_version,
    as_of_date,
    reference_date,
    kind,
    name,
    -- the change
    effect,
    population_stability_index,
    -- the verdict
    p_value,
    min_effect,
    is_alarm,
    -- provenance
    run_id
from {{ ref('int_scores__model_drift') }}
