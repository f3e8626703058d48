{% set reporting_currency = setting('shop.reporting_currency') %}

with judged as (
    select * from {{ ref('base_shop__judged_order_lines') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

{{ versions_of(
    'judged',
    keys=['order_id', 'line_number'],
    content=[
        'product_id', 'line_type', 'quantity', 'gross_amount', 'retail_discount', 'coupon_discount',
        'coupon_match_discount', 'tax_amount', 'net_amount', 'unit_cost', 'original_order_id', 'original_line_number',
        'occurred_at',
    ],
) }},

reasoned as (
    select
        *,
        {{ reject_reason() }} as own_reason
    from versions
)

select
    -- keys
    reasoned.order_id,
    reasoned.line_number,
    reasoned.product_id,
    reasoned.original_order_id,
    reasoned.original_line_number,
    reasoned.load_id,
    -- what it is
    reasoned.line_type,
    -- amounts, in the order's currency
    reasoned.quantity,
    reasoned.gross_amount,
    reasoned.retail_discount,
    reasoned.coupon_discount,
    reasoned.coupon_match_discount,
    reasoned.tax_amount,
    reasoned.net_amount,
    reasoned.unit_cost,
    orders.currency,
    orders.exchange_rate,
    -- times
    coalesce(reasoned.occurred_at, orders.ordered_at) as occurred_at,
    reasoned.known_at,
    reasoned.content_known_at,
    -- verdict
    case
        when reasoned.own_reason is not null then reasoned.own_reason
        when orders.order_id is null and reasoned.occurred_at is null
            then 'its order has not landed or was rejected, and occurred_at is missing'
        when orders.order_id is null then 'its order was rejected'
        when orders.exchange_rate is null
            then
                'no exchange rate from ' || orders.currency || ' to ' || {{ reporting_currency }}
                || ' on or before its day: land one in exchange_rates'
    end as reject_reason
from reasoned
left join orders on reasoned.order_id = orders.order_id
