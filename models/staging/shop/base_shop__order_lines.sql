with landed as (
    select * from {{ visible_rows('order_lines') }}
),

orders as (
    select order_id from {{ ref('stg_shop__orders') }}
),

judged as (
    select
        landed.*,
        case
            when landed.order_id is null or landed.line_number is null then 'key is missing'
            when landed.product_id is null then 'product_id is missing'
            when landed.net_amount is null then 'net_amount is missing'
            when coalesce(landed.line_type, '') not in ('sale', 'return', 'cancellation', 'fee')
                then 'line_type is unknown'
            when landed.line_type = 'sale' and landed.net_amount < 0 then 'a sale has a negative amount'
            when orders.order_id is null then 'its order is missing or was rejected'
        end as problem
    from landed
    left join orders on landed.order_id = orders.order_id
),

versioned as (
    select
        *,
        row_number() over (
            partition by order_id, line_number
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
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
    coalesce(problem, case when version_rank > 1 then 'a later version of this key stands' end) as reject_reason
from versioned
