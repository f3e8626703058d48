select
    model_name,
    model_version,
    previous_model_version,
    holds_from,
    chosen_on,
    action,
    reason,
    algorithm,
    cluster_count,
    micro_segment_count,
    inertia_loss,
    artifact_sha256,
    run_id
from {{ source('ml', 'cluster_models') }}
