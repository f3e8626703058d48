select
    -- keys
    segment_key,
    as_of_date,
    previous_as_of_date,
    -- what it is
    segment_type,
    is_definition_changed,
    is_reconstructed,
    -- counts
    member_count,
    entered_count,
    exited_count
from {{ ref('int_segments__flows') }}
