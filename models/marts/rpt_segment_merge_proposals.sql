select
    -- keys
    segment_key,
    other_segment_key,
    -- why
    reason,
    share_of_larger,
    evidence
from {{ ref('int_segments__merge_proposals') }}
