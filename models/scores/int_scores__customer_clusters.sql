select
    customer_id,
    as_of_date,
    model_name,
    model_version,
    cluster_key,
    cluster_name,
    run_id
from {{ source('ml', 'customer_clusters') }}
