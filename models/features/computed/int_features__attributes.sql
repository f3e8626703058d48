with {{ over_time([
    {
        'relation': 'int_activity__statements',
        'spans': feature_basis() == 'as_known',
        'latest': {'value_as_told': 'value_as_told', 'told_on': 'day'},
    },
], by='attribute') }}

select
    -- keys
    customer_id,
    as_of_date,
    attribute,
    '{{ feature_basis() }}' as identity_basis,
    -- what was told last
    {{ told('value_as_told') }} as attribute_value,
    told_on
from over_time
where value_as_told is not null
