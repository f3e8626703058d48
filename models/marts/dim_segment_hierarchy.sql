select
    -- keys
    segment_key,
    ancestor_segment_key,
    -- how far apart
    depth
from {{ ref('int_segments__hierarchy') }}
