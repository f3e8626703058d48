-- noqa: disable=LT02
{% set sources = {
    'orders': (
        'base_shop__orders', ['order_id'],
        ['loyalty_id', 'user_id', 'store_id', 'order_status', 'currency', 'business_timezone', 'ordered_at', 'known_at'],
    ),
    'order_lines': (
        'base_shop__order_lines', ['order_id', 'line_number'],
        ['product_id', 'line_type', 'quantity', 'gross_amount', 'retail_discount', 'net_amount', 'occurred_at', 'known_at'],
    ),
    'products': ('base_shop__products', ['product_id'], ['department', 'brand_type', 'product_category']),
    'exchange_rates': ('base_shop__exchange_rates', ['currency', 'quote_currency', 'rate_date'], ['rate']),
    'loyalty_members': ('base_loyalty__members', ['loyalty_id'], ['age_band', 'income_band', 'household_size']),
    'campaigns': ('base_campaigns__campaigns', ['campaign_id'], ['campaign_type', 'starts_on', 'ends_on']),
    'campaign_recipients': ('base_campaigns__recipients', ['campaign_id', 'loyalty_id'], []),
    'coupons': ('base_campaigns__coupons', ['coupon_id', 'campaign_id', 'product_id'], []),
    'coupon_redemptions': (
        'base_campaigns__coupon_redemptions', ['loyalty_id', 'coupon_id', 'campaign_id', 'redeemed_on'], [],
    ),
    'crm_contacts': (
        'base_crm__contacts', ['contact_id', 'occurred_at'], ['crm_system', 'loyalty_id', 'email', 'known_at'],
    ),
    'email_events': (
        'base_email__events', ['message_id', 'event_type', 'occurred_at'], ['campaign_id', 'loyalty_id', 'known_at'],
    ),
    'consent_events': (
        'base_consent__events', ['consent_event_id'],
        ['source_system', 'source_record_id', 'purpose', 'consent_action', 'occurred_at', 'known_at'],
    ),
    'support_tickets': (
        'base_service__tickets', ['ticket_id', 'known_at'], ['contact_id', 'ticket_status', 'occurred_at'],
    ),
    'survey_answers': (
        'base_service__survey_answers', ['survey_id', 'response_id', 'question_id'],
        ['answer', 'loyalty_id', 'occurred_at', 'known_at'],
    ),
    'external_attributes': (
        'base_external__attributes', ['provider', 'attribute', 'source_system', 'source_record_id', 'occurred_at'],
        ['attribute_value', 'known_at'],
    ),
    'web_events': (
        'base_web__events', ['event_id'],
        [
            'anonymous_id', 'event_type', 'event_name', 'page_path', 'product_id', 'list_price', 'shown_price',
            'quantity', 'device_occurred_at', 'device_sent_at', 'received_at',
        ],
    ),
} %}

with loads as (
    select * from {{ ref('stg_landing__loads') }}
),

rejected as (
{%- for table, (model, keys, payload) in sources.items() %}
    select
        '{{ table }}' as landing_table,
        {% for key in keys -%}
            coalesce(cast({{ key }} as varchar), '?'){{ " || ' / ' || " if not loop.last }}
        {%- endfor %} as record_key,
        load_id,
        reject_reason as reason,
        {{ to_json_object(keys + payload) }} as payload
    from {{ ref(model) }}
    where reject_reason is not null
    {{ 'union all' if not loop.last }}
{%- endfor %}
)

select
    -- keys
    rejected.landing_table,
    rejected.record_key,
    rejected.load_id,
    -- where it came from
    loads.load_source,
    loads.load_date,
    -- what happened
    rejected.reason,
    rejected.reason in (
        {%- for reason in routine_reasons() %}
            {{ sql_text(reason) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ) as is_routine,
    rejected.payload
from rejected
inner join loads on rejected.load_id = loads.load_id
