select
    model_name,
    model_version,
    algorithm,
    trained_through,
    feature_names,
    feature_schema_hash,
    parameters,
    artifact_sha256,
    run_id
from {{ source('ml', 'model_versions') }}
