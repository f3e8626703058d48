select
    model_name,
    choice_number,
    model_version,
    choice,
    is_fallback,
    known_from,
    hold_out_from,
    trained_through,
    feature_schema_hash,
    artifact_sha256,
    reason,
    chosen_by,
    chosen_at,
    row_number() over (partition by model_name order by known_from desc, choice_number desc) = 1 as is_champion,
    run_id
from {{ source('ml', 'model_champions') }}
