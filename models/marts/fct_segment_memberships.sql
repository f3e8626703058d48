select
    -- keys
    customer_id,
    segment_key,
    -- what it is
    segment_type,
    -- when
    as_of_date,
    as_of_date as valid_from
from {{ ref('int_segments__memberships') }}
