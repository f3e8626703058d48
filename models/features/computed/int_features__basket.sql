with {{ over_time([
    {
        'relation': 'int_activity__purchase_days',
        'spans': true,
        'sums': {
            'order_count': {'of': 'order_count', 'windows': [none]},
            'evening_order_count': {'of': 'evening_order_count', 'windows': [none]},
            'weekend_order_count': {'of': 'weekend_order_count', 'windows': [none]},
            'line_count': {'of': 'line_count', 'windows': [none]},
            'private_brand_amount': {'of': 'private_brand_amount', 'windows': [none]},
            'net_amount': {'of': 'net_amount', 'windows': [none]},
        },
    },
    {
        'relation': 'int_activity__order_lines',
        'day': 'order_date',
        'spans': true,
        'where': "facts.line_type = 'sale'",
        'distinct': {
            'product_count': {'of': 'product_id', 'windows': [none]},
            'category_count': {'of': 'product_category', 'windows': [none]},
        },
    },
    {
        'relation': 'int_activity__orders',
        'day': 'order_date',
        'spans': true,
        'distinct': {'store_count': {'of': 'store_id', 'windows': [none]}},
    },
]) }}

select
    -- keys
    customer_id,
    as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- counts
    cast(order_count as integer) as order_count,
    cast(evening_order_count as integer) as evening_order_count,
    cast(weekend_order_count as integer) as weekend_order_count,
    cast(line_count as integer) as line_count,
    cast(product_count as integer) as product_count,
    cast(category_count as integer) as category_count,
    cast(store_count as integer) as store_count,
    -- amounts
    cast(private_brand_amount as decimal(18, 2)) as private_brand_amount,
    cast(net_amount as decimal(18, 2)) as net_amount
from over_time
where order_count > 0
