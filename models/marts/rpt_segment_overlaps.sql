select
    -- keys
    segment_key,
    other_segment_key,
    -- counts
    shared_count,
    -- shares
    share_of_segment,
    jaccard,
    lift
from {{ ref('int_segments__overlaps') }}
