select
    model_name,
    model_version,
    as_of_date,
    level,
    parent_cluster_key,
    member_count,
    floor,
    folded_into,
    center_distance,
    run_id
from {{ source('ml', 'cluster_folds') }}
