with landed as (
    select * from {{ visible_rows('order_lines') }}
),

-- The source's sign for what goes back is its own affair: here a return or a cancellation is negative.
signed as (
    select
        landed.order_id,
        landed.line_number,
        landed.product_id,
        landed.line_type,
        landed.original_order_id,
        landed.original_line_number,
        landed.occurred_at,
        landed.known_at,
        landed.load_id,
        landed.load_sequence,
        {% for column in [
            'quantity', 'gross_amount', 'retail_discount', 'coupon_discount', 'coupon_match_discount', 'tax_amount',
            'net_amount',
        ] -%}
            case
                when landed.line_type in ('return', 'cancellation') then -abs(landed.{{ column }})
                else landed.{{ column }}
            end as {{ column }},
        {% endfor -%}
        landed.unit_cost
    from landed
)

select
    *,
    case
        when order_id is null or line_number is null then 'key is missing'
        when product_id is null then 'product_id is missing'
        when net_amount is null then 'net_amount is missing'
        when known_at is null then 'known_at is missing'
        when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        when coalesce(line_type, '') not in ('sale', 'return', 'cancellation', 'fee') then 'line_type is unknown'
        when line_type = 'sale' and quantity < 0 then 'a sale has a negative quantity'
        when line_type = 'sale' and (net_amount < 0 or gross_amount < 0) then 'a sale has a negative amount'
        when line_type = 'sale' and least(retail_discount, coupon_discount, coupon_match_discount) < 0
            then 'a sale has a negative discount'
        when greatest(abs(quantity), abs(net_amount), abs(gross_amount)) > 1000000000
            then 'quantity or amount is beyond a billion'
        -- a cent or two is rounding in the source; what the shop receives is then right, and the shelf price follows it
        when
            abs(
                gross_amount - coalesce(retail_discount, 0) - coalesce(coupon_match_discount, 0) - net_amount
            ) > 0.05
            then 'gross_amount less discounts is not net_amount'
    end as problem
from signed
