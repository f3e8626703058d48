select
    model_name,
    kind,
    level,
    from_as_of_date,
    to_as_of_date,
    from_model_version,
    to_model_version,
    from_key,
    to_key,
    customer_count,
    share_of_from,
    run_id
from {{ source('ml', 'cluster_migrations') }}
