select
    -- keys
    customer_id,
    segment_key,
    -- what it is
    segment_type,
    is_primary,
    -- when
    as_of_date,
    valid_from,
    -- consent
    may_mail,
    may_advertise,
    may_personalize,
    may_analyze
from {{ ref('int_segments__memberships') }}
