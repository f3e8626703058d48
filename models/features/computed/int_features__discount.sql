{%- set amounts = ['gross_amount', 'retail_discount', 'coupon_discount', 'coupon_match_discount'] %}

-- noqa: disable=LT02
with {{ over_time([
    {
        'relation': 'int_activity__purchase_days',
        'spans': true,
        'sums': {
            'order_count': {'of': 'order_count', 'windows': [none]},
            'coupon_order_count': {'of': 'coupon_order_count', 'windows': [none, 90]},
            'line_count': {'of': 'line_count', 'windows': [none]},
            'discounted_line_count': {'of': 'discounted_line_count', 'windows': [none]},
            'gross_amount': {'of': 'gross_amount', 'windows': [none]},
            'retail_discount': {'of': 'retail_discount', 'windows': [none]},
            'coupon_discount': {'of': 'coupon_discount', 'windows': [none]},
            'coupon_match_discount': {'of': 'coupon_match_discount', 'windows': [none]},
        },
    },
    {
        'relation': 'int_activity__orders',
        'day': 'order_date',
        'spans': true,
        'where': '(facts.coupon_discount > 0 or facts.coupon_match_discount > 0)',
        'latest': {'last_coupon_order_date': 'order_date'},
    },
]) }}

select
    -- keys
    customer_id,
    as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- time
    cast(as_of_date - last_coupon_order_date as integer) as days_since_last_coupon_order,
    -- counts
    cast(order_count as integer) as order_count,
    cast(coupon_order_count as integer) as coupon_order_count,
    cast(coupon_order_count_90d as integer) as coupon_order_count_90d,
    cast(line_count as integer) as line_count,
    cast(discounted_line_count as integer) as discounted_line_count,
    -- amounts
    {% for amount in amounts -%}
        cast({{ amount }} as decimal(18, 2)) as {{ amount }}{{ ',' if not loop.last }}
    {% endfor -%}
from over_time
where order_count > 0
