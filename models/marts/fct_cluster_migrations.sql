with migrations as (
    select * from {{ ref('int_scores__cluster_migrations') }}
)

select
    -- keys
    kind,
    level,
    from_as_of_date,
    to_as_of_date,
    'cluster_' || from_key as from_segment_key,
    'cluster_' || to_key as to_segment_key,
    -- what was compared
    from_model_version,
    to_model_version,
    -- counts
    cast(customer_count as integer) as customer_count,
    share_of_from
from migrations
