with landed as (
    select * from {{ visible_rows('order_lines') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by order_id, line_number
            order by known_at desc, load_sequence desc
        ) as version_rank
    from landed
)

select
    -- keys
    order_id,
    line_number,
    product_id,
    original_order_id,
    load_id,
    -- what it is
    line_type,
    -- amounts
    quantity,
    gross_amount,
    retail_discount,
    coupon_discount,
    coupon_match_discount,
    tax_amount,
    net_amount,
    unit_cost,
    -- verdict
    case
        when order_id is null or line_number is null then 'key is missing'
        when product_id is null then 'product_id is missing'
        when net_amount is null then 'net_amount is missing'
        when line_type is null or line_type not in ('sale', 'return', 'cancellation', 'fee') then 'line_type is unknown'
        when line_type = 'sale' and net_amount < 0 then 'a sale has a negative amount'
        when version_rank > 1 then 'a later version of this key stands'
    end as reject_reason
from versioned
