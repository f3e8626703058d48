{%- set level = setting_value('features.taste_level') %}

-- noqa: disable=LT02
with {{ over_time([
    {
        'relation': 'int_activity__purchased_categories',
        'spans': true,
        'sums': {
            'line_count': {'of': 'line_count', 'windows': [none]},
            'net_amount': {'of': 'net_amount', 'windows': [none]},
        },
    },
], by=level) }}

select
    -- keys
    customer_id,
    as_of_date,
    {{ level }} as category,
    '{{ feature_basis() }}' as identity_basis,
    -- counts
    cast(line_count as integer) as line_count,
    -- amounts
    cast(net_amount as decimal(18, 2)) as net_amount
from over_time
where line_count > 0
