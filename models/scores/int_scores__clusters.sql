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
    customer_share,
    spend_share,
    outlier_count,
    is_natural,
    size_floor,
    run_id
from {{ source('ml', 'clusters') }}
