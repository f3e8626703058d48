select
    -- keys
    as_of_date,
    from_segment_key,
    to_segment_key,
    -- since when
    previous_as_of_date,
    is_definition_changed,
    -- counts
    customer_count
from {{ ref('int_segments__transitions') }}
