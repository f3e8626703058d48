-- A return or cancellation takes back one sale line: the one that the source names; of the order that it names, or else
-- of all that the same buyer bought before, the latest line of the product of which enough is left. Returns take in the
-- order in which they became known, so that no later one changes what an earlier one took. An order of a later day than
-- that on which the return became known is as good as unknown: it was, then.

{%- set became_known = 'greatest(order_lines.occurred_at, order_lines.content_known_at)' %}

-- noqa: disable=PRS
with order_lines as (
    select * from {{ ref('base_shop__order_lines') }}
    where reject_reason is null
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

returned as (
    select
        order_lines.order_id,
        order_lines.line_number,
        order_lines.product_id,
        order_lines.original_order_id,
        order_lines.original_line_number,
        order_lines.line_type,
        orders.buyer,
        coalesce(-order_lines.quantity, 0) as quantity,
        -{{ reporting_amount('coalesce(order_lines.retail_discount, 0)', 'orders.exchange_rate') }} as retail_discount,
        -{{ reporting_amount('coalesce(order_lines.coupon_discount, 0)', 'orders.exchange_rate') }} as coupon_discount,
        -{{ reporting_amount('coalesce(order_lines.coupon_match_discount, 0)', 'orders.exchange_rate') }}
            as coupon_match_discount,
        -{{ reporting_amount('order_lines.net_amount', 'orders.exchange_rate') }} as net_amount,
        order_lines.occurred_at as returned_at,
        {{ became_known }} as returned_known_at,
        cast({{ local_time(became_known, 'orders.business_timezone') }} as date) as returned_on
    from order_lines
    inner join orders on order_lines.order_id = orders.order_id
    where order_lines.line_type in ('return', 'cancellation')
),

-- Only lines of products that came back are looked at; without a return, none.
returned_products as (
    select product_id from returned
    group by product_id
),

sold as (
    select
        order_lines.order_id,
        order_lines.line_number,
        order_lines.product_id,
        coalesce(orders.buyer, 'order:' || orders.order_id) as buyer,
        orders.ordered_at,
        orders.order_date,
        orders.voided_at,
        coalesce(order_lines.quantity, 0) as quantity
    from order_lines
    inner join returned_products on order_lines.product_id = returned_products.product_id
    inner join orders on order_lines.order_id = orders.order_id
    where order_lines.line_type = 'sale'
),

-- Whose purchases of which product a return is looked for in, and how narrowly.
wanted as (
    select
        returned.order_id,
        returned.line_number,
        returned.line_type,
        returned.quantity,
        returned.returned_at,
        returned.returned_known_at,
        returned.original_order_id as wanted_order_id,
        named_lines.line_number as wanted_line_number,
        returned.product_id,
        case
            when named_lines.order_id is not null then named_lines.buyer
            when returned.original_order_id is not null
                then coalesce(named_orders.buyer, 'order:' || named_orders.order_id)
            -- without a buyer, on its own receipt
            else coalesce(returned.buyer, 'order:' || returned.order_id)
        end as buyer
    from returned
    left join sold as named_lines
        on
            returned.original_order_id = named_lines.order_id
            and returned.original_line_number = named_lines.line_number
            and returned.product_id = named_lines.product_id
            and returned.returned_on >= named_lines.order_date
    left join orders as named_orders
        on
            returned.original_order_id = named_orders.order_id
            and returned.returned_on >= named_orders.order_date
),

wanted_lists as (
    select
        buyer,
        product_id,
        {{ sorted_list(
            order_by=['returned_known_at', 'returned_at', 'order_id', 'line_number'],
            others=['line_type', 'quantity', 'wanted_order_id', 'wanted_line_number'],
        ) }} as returns
    from wanted
    where buyer is not null
    group by buyer, product_id
),

sold_lists as (
    select
        sold.buyer,
        sold.product_id,
        {{ sorted_list(
            order_by=['sold.ordered_at', 'sold.order_id', 'sold.line_number'],
            others=['sold.voided_at', 'sold.quantity'],
        ) }} as sales
    from sold
    inner join wanted_lists
        on
            sold.buyer = wanted_lists.buyer
            and sold.product_id = wanted_lists.product_id
    group by sold.buyer, sold.product_id
),

matched_lists as (
    -- the linter does not know the lambdas of a fold
    select {{ match_returns('sold_lists.sales', 'wanted_lists.returns') }} as matches -- noqa: PRS
    from wanted_lists
    inner join sold_lists
        on
            wanted_lists.buyer = sold_lists.buyer
            and wanted_lists.product_id = sold_lists.product_id
),

matches as (
    select {{ unnest_structs('matches') }}
    from matched_lists
),

judged as (
    select
        returned.*,
        matches.original_order_id as matched_order_id,
        matches.original_line_number as matched_line_number,
        coalesce(matches.quantity, 0) as matched_quantity,
        wanted.wanted_line_number is null as is_inferred,
        -- what is given back without a unit (a price reduction afterwards) belongs to the line as a whole
        case
            when matches.original_order_id is null then cast(0 as double)
            when returned.quantity <= 0 then cast(1 as double)
            else cast(matches.quantity as double) / cast(returned.quantity as double)
        end as matched_share
    from returned
    inner join wanted
        on
            returned.order_id = wanted.order_id
            and returned.line_number = wanted.line_number
    left join matches
        on
            returned.order_id = matches.order_id
            and returned.line_number = matches.line_number
),

-- The part that took a line back, and what is left of the return; their amounts add up to those of the line.
parts as (
    select
        order_id,
        line_number,
        true as is_matched,
        product_id,
        matched_order_id as original_order_id,
        matched_line_number as original_line_number,
        is_inferred as original_is_inferred,
        line_type,
        matched_quantity as quantity,
        {% for column in ['retail_discount', 'coupon_discount', 'coupon_match_discount', 'net_amount'] -%}
            cast(round({{ column }} * matched_share, 2) as decimal(18, 2)) as {{ column }},
        {% endfor -%}
        returned_at,
        returned_known_at,
        returned_on
    from judged
    where matched_share > 0
    union all
    select
        order_id,
        line_number,
        false as is_matched,
        product_id,
        original_order_id,
        cast(null as integer) as original_line_number,
        false as original_is_inferred,
        line_type,
        quantity - matched_quantity as quantity,
        {% for column in ['retail_discount', 'coupon_discount', 'coupon_match_discount', 'net_amount'] -%}
            {{ column }} - cast(round({{ column }} * matched_share, 2) as decimal(18, 2)) as {{ column }},
        {% endfor -%}
        returned_at,
        returned_known_at,
        returned_on
    from judged
    where matched_share < 1
)

select
    -- keys
    order_id,
    line_number,
    is_matched,
    product_id,
    original_order_id,
    original_line_number,
    -- what it is
    line_type,
    original_is_inferred,
    -- what goes back, positive
    cast(quantity as decimal(18, 3)) as quantity,
    cast(net_amount + retail_discount + coupon_match_discount as decimal(18, 2)) as gross_amount,
    cast(retail_discount as decimal(18, 2)) as retail_discount,
    cast(coupon_discount as decimal(18, 2)) as coupon_discount,
    cast(coupon_match_discount as decimal(18, 2)) as coupon_match_discount,
    cast(net_amount as decimal(18, 2)) as net_amount,
    -- times
    returned_at,
    returned_known_at as known_at,
    returned_on
from parts
