-- What was bought, as it was bought. What came back does not change these rows: counts_until says up to when a
-- line counts, int_activity__returns what was given back and when, and only what was known before an as-of
-- date may be used for it.

{%- set business_timezone = setting('shop.business_timezone') %}

with order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
    where line_type in ('sale', 'fee')
),

orders as (
    select
        *,
        cast({{ local_time('first_known_at', 'business_timezone') }} as date) as known_on,
        cast({{ local_time('voided_at', 'business_timezone') }} as date) as voided_on
    from {{ ref('stg_shop__orders') }}
),

returns as (
    select * from {{ ref('stg_shop__returns') }}
    where is_matched
),

sale_lines as (
    select
        order_id,
        line_number
    from {{ ref('stg_shop__order_lines') }}
    where line_type = 'sale'
),

-- Hardly any: the few lines of which something came back.
touched_lines as (
    select
        order_id,
        line_number,
        quantity,
        net_amount
    from {{ ref('stg_shop__order_lines') }}
    where
        line_type = 'sale'
        and (returned_quantity > 0 or returned_amount <> 0)
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

returned_so_far as (
    select
        returns.original_order_id as order_id,
        returns.original_line_number as line_number,
        returns.returned_on,
        touched_lines.quantity,
        touched_lines.net_amount,
        sum(returns.quantity) over (up_to_now) as returned_quantity,
        sum(returns.net_amount) over (up_to_now) as returned_amount
    from returns
    inner join touched_lines
        on
            returns.original_order_id = touched_lines.order_id
            and returns.original_line_number = touched_lines.line_number
    window up_to_now as (
        partition by returns.original_order_id, returns.original_line_number
        order by returns.returned_on
    )
),

returned_lines as (
    select
        order_id,
        line_number,
        min(returned_on) as returned_on
    from returned_so_far
    where
        (quantity > 0 and returned_quantity >= quantity)
        -- without units there is only the money to tell
        or (quantity <= 0 and net_amount > 0 and returned_amount >= net_amount)
    group by order_id, line_number
),

touched_orders as (
    select order_id from returned_lines
    group by order_id
),

-- An order of which every sale line came back is no purchase any more; its fees go with it.
returned_orders as (
    select
        sale_lines.order_id,
        max(returned_lines.returned_on) as returned_on
    from touched_orders
    inner join sale_lines on touched_orders.order_id = sale_lines.order_id
    left join returned_lines
        on
            sale_lines.order_id = returned_lines.order_id
            and sale_lines.line_number = returned_lines.line_number
    group by sale_lines.order_id
    having count(*) = count(returned_lines.order_id)
),

-- Joined before anything is filtered: after a filter, DuckDB takes the lines for fewer than the products and hashes
-- them.
described as (
    select
        order_lines.*,
        {% if feature_basis() == 'as_known' -%}
            cast({{ local_time('order_lines.known_at', business_timezone) }} as date) as known_on,
        {%- endif %}
        products.department,
        products.product_category,
        products.brand_type
    from order_lines
    left join products
        on order_lines.product_id = products.product_id
),

-- `least` skips nulls.
resolved as (
    select
        described.order_id,
        described.line_number,
        {{ record_hash("'orders'", 'orders.buyer') }} as record_hash,
        described.product_id,
        orders.order_date,
        {% if feature_basis() == 'as_known' -%}
            greatest(orders.order_date, orders.known_on, described.known_on) as counts_from,
        {%- else -%}
            orders.order_date as counts_from,
        {%- endif %}
        least(orders.voided_on, returned_orders.returned_on, returned_lines.returned_on) as counts_until,
        least(orders.voided_on, returned_orders.returned_on) as order_counts_until,
        described.line_type,
        described.department,
        described.product_category,
        described.brand_type,
        described.quantity,
        described.gross_amount,
        described.retail_discount,
        described.coupon_discount,
        described.coupon_match_discount,
        described.net_amount,
        -- at list price, and rounded once, so that sums of it are the same in any order
        case
            when described.line_type = 'sale' and described.quantity > 0 and described.gross_amount > 0
                then cast(ln(described.gross_amount / described.quantity) as decimal(9, 6))
        end as log_unit_price
    from described
    inner join orders
        on described.order_id = orders.order_id
    left join returned_lines
        on
            described.order_id = returned_lines.order_id
            and described.line_number = returned_lines.line_number
    left join returned_orders
        on described.order_id = returned_orders.order_id
    -- what nobody is named for is nobody's activity
    where orders.buyer is not null
)

select
    -- keys
    order_id,
    line_number,
    record_hash,
    product_id,
    -- dates
    order_date,
    counts_from,
    counts_until,
    order_counts_until,
    -- what it is
    line_type,
    department,
    product_category,
    brand_type,
    -- amounts
    quantity,
    gross_amount,
    retail_discount,
    coupon_discount,
    coupon_match_discount,
    net_amount,
    log_unit_price
from resolved
-- taken back before any as-of date could know it
where counts_until is null or counts_until > counts_from
