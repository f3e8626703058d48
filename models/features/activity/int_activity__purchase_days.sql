-- What each buyer bought, a row a day and span in which it counts: measures that add up over days, records and spans. A
-- cancelled order or a line that came back ends to count; what was given back counts against it from the day on which
-- that became known.

{%- set amounts = ['gross_amount', 'retail_discount', 'coupon_discount', 'coupon_match_discount', 'net_amount'] %}
{%- set of_orders = ['order_count', 'coupon_order_count'] + order_kind_counts() %}
{%- set of_lines = ['line_count', 'discounted_line_count'] %}
{%- set counts = of_orders + ['basket_category_count'] + of_lines %}

-- noqa: disable=LT02
with orders as (
    select
        *,
        -- 1900-01-01 was a Monday: its weeks have day 0 on Mondays on every engine
        cast(order_date - cast('1900-01-01' as date) as integer) % 7 as weekday,
        hour(ordered_at_local) as order_hour
    from {{ ref('int_activity__orders') }}
),

order_lines as (
    select order_lines.*
    from {{ ref('int_activity__order_lines') }} as order_lines
    -- fees alone are no purchase
    inner join orders on order_lines.order_id = orders.order_id
),

returns as (
    select * from {{ ref('int_activity__returns') }}
),

counted_orders as (
    select
        record_hash,
        order_date as day,
        counts_from,
        counts_until,
        1 as order_count,
        case when coupon_discount > 0 or coupon_match_discount > 0 then 1 else 0 end as coupon_order_count,
        {% for weekday in weekdays() -%}
            case when weekday = {{ loop.index0 }} then 1 else 0 end as {{ weekday }}_order_count,
        {% endfor -%}
        {% for daypart, (since, until) in dayparts().items() -%}
            case when order_hour >= {{ since }} and order_hour < {{ until }} then 1 else 0 end
                as {{ daypart }}_order_count,
        {% endfor -%}
        {% for channel in order_channels() -%}
            case when channel = '{{ channel }}' then 1 else 0 end as {{ channel }}_order_count{{ ',' if not loop.last }}
        {% endfor -%}
    from orders
),

counted_lines as (
    select
        record_hash,
        order_date as day,
        counts_from,
        counts_until,
        1 as line_count,
        case when retail_discount > 0 then 1 else 0 end as discounted_line_count
    from order_lines
    where line_type = 'sale'
),

-- A category is in a basket from its first line that is known to the end of its last.
basket_categories as (
    select
        record_hash,
        order_date as day,
        min(counts_from) as counts_from,
        case when count(counts_until) = count(*) then max(counts_until) end as counts_until,
        1 as basket_category_count
    from order_lines
    where
        line_type = 'sale'
        and product_category is not null
    group by record_hash, order_id, order_date, product_category
),

-- The money of a line stays until its order is gone: what came back of it is taken off on its own day.
paid_lines as (
    select
        record_hash,
        order_date as day,
        counts_from,
        order_counts_until as counts_until,
        {{ amounts | join(',\n        ') }}
    from order_lines
),

given_back as (
    select
        orders.record_hash,
        orders.order_date as day,
        greatest(returns.returned_on, orders.counts_from) as counts_from,
        orders.counts_until,
        {% for amount in amounts -%}
            -returns.{{ amount }} as {{ amount }}{{ ',' if not loop.last }}
        {% endfor -%}
    from returns
    inner join orders on returns.charged_order_id = orders.order_id
),

-- Own brands go with the line: once it came back as a whole, neither it nor what was given back counts.
private_lines as (
    select
        record_hash,
        order_date as day,
        counts_from,
        counts_until,
        net_amount as private_brand_amount
    from order_lines
    where
        line_type = 'sale'
        and brand_type = 'Private'
    union all
    select
        order_lines.record_hash,
        order_lines.order_date as day,
        greatest(returns.returned_on, order_lines.counts_from) as counts_from,
        order_lines.counts_until,
        -returns.net_amount as private_brand_amount
    from returns
    inner join order_lines
        on
            returns.charged_order_id = order_lines.order_id
            and returns.charged_line_number = order_lines.line_number
    where
        order_lines.line_type = 'sale'
        and order_lines.brand_type = 'Private'
),

measured as (
    {%- set parts = {
        'counted_orders': of_orders, 'basket_categories': ['basket_category_count'], 'counted_lines': of_lines,
        'paid_lines': amounts, 'given_back': amounts,
        'private_lines': ['private_brand_amount'],
    } %}
    {%- for part, measures in parts.items() %}
    select
        record_hash,
        day,
        counts_from,
        counts_until
        {%- for measure in counts + amounts + ['private_brand_amount'] %},
        {{ measure if measure in measures else '0 as ' ~ measure }}
        {%- endfor %}
    from {{ part }}
    where counts_until is null or counts_until > counts_from
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    -- keys
    record_hash,
    day,
    -- as of dates after the one and, unless it is null, up to the other
    counts_from,
    counts_until,
    -- counts
    {% for measure in counts -%}
        cast(sum({{ measure }}) as integer) as {{ measure }},
    {% endfor -%}
    -- amounts
    {% for measure in amounts -%}
        cast(sum({{ measure }}) as decimal(18, 2)) as {{ measure }},
    {% endfor -%}
    cast(sum(private_brand_amount) as decimal(18, 2)) as private_brand_amount
from measured
group by record_hash, day, counts_from, counts_until
order by record_hash, day
