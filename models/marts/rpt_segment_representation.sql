select
    -- keys
    segment_key,
    attribute,
    attribute_value,
    -- counts
    member_count,
    told_member_count,
    customer_count,
    comparison_count,
    -- shares
    member_share,
    customer_share,
    -- representation
    representation,
    representation_low,
    representation_high
from {{ ref('int_segments__representation') }}
