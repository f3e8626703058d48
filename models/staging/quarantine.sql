-- noqa: disable=LT02
{%- set sources = {
    'orders': ('base_shop__orders', ['order_id'], ['loyalty_id', 'store_id', 'currency', 'ordered_at']),
    'order_lines': (
        'base_shop__order_lines', ['order_id', 'line_number'],
        ['product_id', 'line_type', 'quantity', 'gross_amount', 'net_amount'],
    ),
    'products': ('base_shop__products', ['product_id'], ['department', 'brand_type', 'product_category']),
    'loyalty_members': ('base_loyalty__members', ['loyalty_id'], ['age_band', 'income_band', 'household_size']),
    'campaigns': ('base_campaigns__campaigns', ['campaign_id'], ['campaign_type', 'starts_on', 'ends_on']),
    'campaign_recipients': ('base_campaigns__recipients', ['campaign_id', 'loyalty_id'], []),
    'coupons': ('base_campaigns__coupons', ['coupon_id', 'campaign_id', 'product_id'], []),
    'coupon_redemptions': (
        'base_campaigns__coupon_redemptions', ['loyalty_id', 'coupon_id', 'campaign_id', 'redeemed_on'], [],
    ),
    'web_events': (
        'base_web__events', ['event_id'],
        [
            'anonymous_id', 'event_type', 'event_name', 'page_path', 'product_id', 'list_price', 'shown_price',
            'quantity', 'device_occurred_at', 'device_sent_at', 'received_at',
        ],
    ),
} -%}
{%- for table, (model, keys, payload) in sources.items() %}
select
    -- keys
    '{{ table }}' as landing_table,
    {% for key in keys -%}
        coalesce(cast({{ key }} as varchar), '?'){{ " || ' / ' || " if not loop.last }}
    {%- endfor %} as record_key,
    load_id,
    -- what happened
    reject_reason as reason,
    {{ to_json_object(keys + payload) }} as payload
from {{ ref(model) }}
where reject_reason is not null
{{ 'union all' if not loop.last }}
{%- endfor %}
