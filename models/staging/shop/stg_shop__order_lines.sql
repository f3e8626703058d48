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
    coalesce(quantity, 0) as quantity,
    coalesce(gross_amount, net_amount) as gross_amount,
    coalesce(retail_discount, 0) as retail_discount,
    coalesce(coupon_discount, 0) as coupon_discount,
    coalesce(coupon_match_discount, 0) as coupon_match_discount,
    tax_amount,
    net_amount,
    unit_cost
from {{ ref('base_shop__order_lines') }}
where reject_reason is null
