select
    -- keys
    customer_id,
    segment_key,
    -- when
    valid_from,
    valid_to,
    -- what it is
    segment_type,
    is_reconstructed
from {{ ref('int_segments__periods') }}
