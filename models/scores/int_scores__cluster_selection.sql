select
    model_name,
    model_version,
    as_of_date,
    cluster_count,
    criterion,
    value,
    is_chosen,
    run_id
from {{ source('ml', 'cluster_selection') }}
