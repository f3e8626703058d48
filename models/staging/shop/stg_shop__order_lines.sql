{% set price_factor = setting('staging.outliers.price_factor') %}
{% set quantity_factor = setting('staging.outliers.quantity_factor') %}

with order_lines as (
    select * from {{ ref('base_shop__order_lines') }}
    where reject_reason is null
),

returns as (
    select * from {{ ref('stg_shop__returns') }}
),

converted as (
    select
        order_id,
        line_number,
        product_id,
        original_order_id,
        load_id,
        line_type,
        content_known_at,
        coalesce(quantity, 0) as quantity,
        {{ reporting_amount('coalesce(retail_discount, 0)') }} as retail_discount,
        {{ reporting_amount('coalesce(coupon_discount, 0)') }} as coupon_discount,
        {{ reporting_amount('coalesce(coupon_match_discount, 0)') }} as coupon_match_discount,
        {{ reporting_amount('tax_amount') }} as tax_amount,
        {{ reporting_amount('net_amount') }} as net_amount,
        {{ reporting_amount('unit_cost', scale=4) }} as unit_cost,
        net_amount as transaction_amount,
        currency as transaction_currency
    from order_lines
),

-- What a unit of a product usually costs and how many go into a basket: medians, which no outlier moves.
usual as (
    select
        product_id,
        median(
            cast(net_amount + retail_discount + coupon_match_discount as double) / cast(quantity as double)
        ) as unit_price,
        median(quantity) as quantity
    from converted
    where
        line_type = 'sale'
        and quantity > 0
    group by product_id
    having count(*) >= {{ setting('staging.outliers.min_product_lines') }}
),

usual_in_shop as (
    select {{ exact_quantile('quantity', setting('staging.outliers.quantity_quantile')) }} as high_quantity
    from converted
    where line_type = 'sale'
),

taken_back as (
    select
        original_order_id,
        original_line_number,
        sum(quantity) as quantity,
        sum(net_amount) as net_amount
    from returns
    where is_matched
    group by original_order_id, original_line_number
),

took_back as (
    select
        order_id,
        line_number,
        original_order_id,
        original_line_number,
        original_is_inferred,
        quantity,
        net_amount
    from returns
    where is_matched
),

joined as (
    select
        converted.*,
        taken_back.quantity as returned_quantity,
        taken_back.net_amount as returned_amount,
        took_back.original_order_id as matched_order_id,
        took_back.original_line_number,
        took_back.original_is_inferred,
        took_back.quantity as matched_quantity,
        took_back.net_amount as matched_amount,
        usual.unit_price as usual_unit_price,
        usual.quantity as usual_quantity,
        usual_in_shop.high_quantity,
        cast(converted.net_amount + converted.retail_discount + converted.coupon_match_discount as decimal(18, 2))
            as gross_amount
    from converted
    cross join usual_in_shop
    left join usual on converted.product_id = usual.product_id
    left join taken_back
        on
            converted.order_id = taken_back.original_order_id
            and converted.line_number = taken_back.original_line_number
    left join took_back
        on
            converted.order_id = took_back.order_id
            and converted.line_number = took_back.line_number
)

select
    -- keys
    order_id,
    line_number,
    product_id,
    coalesce(matched_order_id, original_order_id) as original_order_id,
    original_line_number,
    load_id,
    -- what it is
    line_type,
    coalesce(original_is_inferred, false) as original_is_inferred,
    line_type in ('return', 'cancellation') and matched_order_id is null as is_unmatched_return,
    coalesce(
        line_type = 'sale' and quantity > 0
        and case
            when usual_unit_price is null then quantity > high_quantity
            else
                quantity > usual_quantity * {{ quantity_factor }}
                or cast(gross_amount as double) > quantity * usual_unit_price * {{ price_factor }}
                or cast(gross_amount as double) * {{ price_factor }} < quantity * usual_unit_price
        end,
        false
    ) as is_outlier,
    -- amounts, in the shop's reporting currency
    quantity,
    gross_amount,
    retail_discount,
    coupon_discount,
    coupon_match_discount,
    tax_amount,
    net_amount,
    unit_cost,
    -- after returns
    cast(coalesce(returned_quantity, 0) as decimal(18, 3)) as returned_quantity,
    cast(coalesce(returned_amount, 0) as decimal(18, 2)) as returned_amount,
    cast(quantity - coalesce(returned_quantity, 0) + coalesce(matched_quantity, 0) as decimal(18, 3))
        as quantity_after_returns,
    cast(net_amount - coalesce(returned_amount, 0) + coalesce(matched_amount, 0) as decimal(18, 2))
        as amount_after_returns,
    -- as the customer paid
    transaction_amount,
    transaction_currency,
    -- times
    content_known_at as known_at
from joined
