{%- set windows = [none, 7, 28, 90] %}
{%- set of_windows = ['session_count', 'page_view_count', 'product_view_count', 'add_count'] %}
{%- set of_all_time = [
    'dwell_seconds', 'category_view_count', 'content_view_count', 'search_count', 'checkout_count', 'order_count',
    'abandoned_browse_count', 'abandoned_cart_count', 'abandoned_checkout_count', 'mobile_session_count',
    'tablet_session_count', 'desktop_session_count',
] %}
{%- set sums = {} %}
{%- for measure in of_windows %}{% do sums.update({measure: {'of': measure, 'windows': windows}}) %}{% endfor %}
{%- for measure in of_all_time %}{% do sums.update({measure: {'of': measure, 'windows': [none, 28]}}) %}{% endfor %}
{%- set facts = [
    {
        'relation': 'int_activity__web_sessions',
        'spans': true,
        'sums': sums,
        'latest': {
            'last_seen_on': 'day',
            'last_product_viewed_on': 'product_viewed_on',
            'last_searched_on': 'searched_on',
            'last_added_on': 'added_on',
            'last_checked_out_on': 'checked_out_on',
        },
        'earliest': {'first_seen_on': 'day'},
        'distinct': {'visit_day_count': {'of': 'day', 'windows': [none, 28]}},
    },
    {
        'relation': 'int_activity__web_products',
        'spans': true,
        'where': 'facts.view_count > 0',
        'sums': {'discounted_view_count': {'of': 'discounted_view_count', 'windows': [none]}},
        'distinct': {
            'viewed_product_count': {'of': 'product_id', 'windows': [none, 28]},
            'viewed_category_count': {'of': 'product_category', 'windows': [none, 28]},
        },
    },
] %}

-- noqa: disable=LT02
with {{ over_time(facts) }}

select
    -- keys
    customer_id,
    as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- time
    cast(as_of_date - first_seen_on as integer) as days_since_first_seen,
    cast(as_of_date - last_seen_on as integer) as days_since_last_seen,
    cast(as_of_date - last_product_viewed_on as integer) as days_since_last_product_view,
    cast(as_of_date - last_searched_on as integer) as days_since_last_search,
    cast(as_of_date - last_added_on as integer) as days_since_last_add,
    cast(as_of_date - last_checked_out_on as integer) as days_since_last_checkout,
    -- counts
    {% for measure in of_windows -%}
        {% for window in windows -%}
            cast({{ named(measure, window) }} as integer) as {{ named(measure, window) }},
        {% endfor -%}
    {% endfor -%}
    {% for measure in of_all_time -%}
        {% for window in [none, 28] -%}
            cast({{ named(measure, window) }} as {{ 'bigint' if measure == 'dwell_seconds' else 'integer' }})
                as {{ named(measure, window) }},
        {% endfor -%}
    {% endfor -%}
    cast(visit_day_count as integer) as visit_day_count,
    cast(visit_day_count_28d as integer) as visit_day_count_28d,
    cast(viewed_product_count as integer) as viewed_product_count,
    cast(viewed_product_count_28d as integer) as viewed_product_count_28d,
    cast(viewed_category_count as integer) as viewed_category_count,
    cast(viewed_category_count_28d as integer) as viewed_category_count_28d,
    cast(discounted_view_count as integer) as discounted_view_count
from over_time
where session_count > 0
