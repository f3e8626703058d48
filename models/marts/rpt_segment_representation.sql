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
    representation_high,
    case
        when representation_low > {{ setting('segments.representation.max_representation') }} then 'over-represented'
        when representation_high < {{ setting('segments.representation.min_representation') }} then 'under-represented'
        else 'within bounds'
    end as verdict
from {{ ref('int_segments__representation') }}
