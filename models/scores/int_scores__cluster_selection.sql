select
    model_name,
    model_version,
    as_of_date,
    level,
    parent_cluster_key,
    algorithm,
    cluster_count,
    criterion,
    value,
    is_chosen,
    run_id
from {{ source('ml', 'cluster_selection') }}
