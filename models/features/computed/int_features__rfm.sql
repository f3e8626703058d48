{%- set all_windows = [none] + feature_windows() %}
{%- set spend_windows = all_windows + season_windows() %}

-- noqa: disable=LT02
with {{ over_time([
    {
        'relation': 'int_activity__purchase_days',
        'spans': true,
        'sums': {
            'order_count': {'of': 'order_count', 'windows': all_windows},
            'total_spend': {'of': 'net_amount', 'windows': spend_windows},
        },
    },
    {
        'relation': 'int_activity__orders',
        'day': 'order_date',
        'spans': true,
        'distinct': {'purchase_day_count': {'of': 'order_date', 'windows': all_windows}},
        'latest': {'last_order_date': 'order_date'},
        'earliest': {'first_order_date': 'order_date'},
    },
]) }},

rhythm as (
    select * from {{ ref('int_features__order_rhythm') }}
)

select
    -- keys
    over_time.customer_id,
    over_time.as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- time
    cast(over_time.as_of_date - over_time.first_order_date as integer) as customer_age_days,
    cast(over_time.as_of_date - over_time.last_order_date as integer) as days_since_last_order,
    coalesce(of_days.median_days_between_orders, of_dates.median_days_between_orders) as median_days_between_orders,
    -- counts
    {% for window in all_windows -%}
        cast(over_time.{{ named('order_count', window) }} as integer) as {{ named('order_count', window) }},
    {% endfor -%}
    {% for window in all_windows -%}
        cast(over_time.{{ named('purchase_day_count', window) }} as integer)
            as {{ named('purchase_day_count', window) }},
    {% endfor -%}
    -- amounts
    {% for window in spend_windows -%}
        cast(over_time.{{ named('total_spend', window) }} as decimal(18, 2))
            as {{ named('total_spend', window) }}{{ ',' if not loop.last }}
    {% endfor -%}
from over_time
left join rhythm as of_days
    on
        over_time.customer_id = of_days.customer_id
        and over_time.last_order_date = of_days.last_order_date
left join rhythm as of_dates
    on
        over_time.customer_id = of_dates.customer_id
        and over_time.as_of_date = of_dates.as_of_date
where over_time.order_count > 0
