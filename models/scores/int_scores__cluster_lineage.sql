select
    model_name,
    model_version,
    previous_model_version,
    as_of_date,
    level,
    parent_cluster_key,
    event,
    old_key,
    new_key,
    shared_members,
    old_members,
    new_members,
    share_of_old,
    share_of_new,
    center_distance,
    run_id
from {{ source('ml', 'cluster_lineage') }}
