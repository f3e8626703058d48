with lineage as (
    select * from {{ ref('int_scores__cluster_lineage') }}
)

select
    -- keys
    as_of_date,
    level,
    -- what became of what
    event,
    'cluster_' || old_key as old_segment_key,
    'cluster_' || new_key as new_segment_key,
    model_version,
    previous_model_version,
    -- how much they share
    cast(shared_members as integer) as shared_member_count,
    share_of_old,
    share_of_new
from lineage
