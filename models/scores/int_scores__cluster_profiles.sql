select
    model_name,
    model_version,
    as_of_date,
    level,
    cluster_key,
    parent_cluster_key,
    cluster_name,
    cluster_description,
    member_count,
    feature,
    cluster_mean,
    others_mean,
    overall_mean,
    effect_size,
    run_id
from {{ source('ml', 'cluster_profiles') }}
