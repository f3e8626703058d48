{% set reporting_currency = setting('shop.reporting_currency') %}
{% set business_timezone = setting('shop.business_timezone') %}

with landed as (
    select * from {{ ref('base_shop__orders') }}
),

inferred as (
    select * from {{ ref('base_shop__inferred_orders') }}
),

rates as (
    select * from {{ ref('base_shop__reporting_rates') }}
),

-- The currency that most orders are in: the likeliest of one that did not come itself.
usual_currency as (
    select currency
    from landed
    where reject_reason is null
    group by currency
    order by count(*) desc, currency asc
    limit 1
),

orders as (
    select
        order_id,
        loyalty_id,
        user_id,
        email,
        {{ buyer() }} as buyer,
        store_id,
        brand,
        load_id,
        channel,
        order_status,
        currency,
        business_timezone,
        false as is_inferred,
        ordered_at,
        ordered_at_local,
        known_at,
        first_known_at,
        voided_at
    from landed
    where reject_reason is null
    union all
    select
        order_id,
        cast(null as varchar) as loyalty_id,
        cast(null as varchar) as user_id,
        cast(null as varchar) as email,
        cast(null as varchar) as buyer,
        cast(null as varchar) as store_id,
        cast(null as varchar) as brand,
        load_id,
        cast(null as varchar) as channel,
        'completed' as order_status,
        coalesce((select usual_currency.currency from usual_currency), {{ reporting_currency }}) as currency,
        {{ business_timezone }} as business_timezone,
        true as is_inferred,
        ordered_at,
        {{ local_time('ordered_at', business_timezone) }} as ordered_at_local,
        known_at,
        known_at as first_known_at,
        cast(null as timestamp) as voided_at
    from inferred
)

select
    -- keys
    orders.order_id,
    orders.loyalty_id,
    orders.user_id,
    orders.email,
    orders.buyer,
    orders.store_id,
    orders.load_id,
    -- what it is
    orders.brand,
    orders.channel,
    orders.order_status,
    orders.is_inferred,
    -- money
    orders.currency,
    case
        when orders.currency = {{ reporting_currency }} then cast(1 as decimal(28, 12))
        else rates.exchange_rate
    end as exchange_rate,
    -- times
    orders.ordered_at,
    orders.ordered_at_local,
    cast(orders.ordered_at_local as date) as order_date,
    orders.business_timezone,
    orders.known_at,
    orders.first_known_at,
    orders.voided_at
from orders
left join rates
    on
        orders.currency = rates.currency
        and cast(orders.ordered_at_local as date) >= rates.valid_from
        and (rates.valid_until is null or cast(orders.ordered_at_local as date) < rates.valid_until)
