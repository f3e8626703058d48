{%- set counts = ['order_count', 'line_count', 'basket_category_count'] + order_kind_counts() %}
{%- set sums = {} %}
{%- for measure in counts + ['private_brand_amount', 'net_amount'] %}
    {%- do sums.update({measure: {'of': measure, 'windows': [none]}}) %}
{%- endfor %}

-- noqa: disable=LT02
with {{ over_time([
    {
        'relation': 'int_activity__purchase_days',
        'spans': true,
        'sums': sums,
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
    {% for measure in counts -%}
        cast({{ measure }} as integer) as {{ measure }},
    {% endfor -%}
    cast(product_count as integer) as product_count,
    cast(category_count as integer) as category_count,
    cast(store_count as integer) as store_count,
    -- amounts
    cast(private_brand_amount as decimal(18, 2)) as private_brand_amount,
    cast(net_amount as decimal(18, 2)) as net_amount
from over_time
where order_count > 0
