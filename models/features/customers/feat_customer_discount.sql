with computed as (
    select * from {{ ref('int_features__discount').include(database=false) }}
),

history as (
    select * from {{ ref('int_as_of_history').include(database=false) }}
    where source = 'orders'
)

select
    -- keys
    computed.customer_id,
    computed.as_of_date,
    computed.identity_basis,
    -- shelf discounts
    case
        when computed.gross_amount > 0
            then
                least(
                    1.0,
                    greatest(0.0, cast(computed.retail_discount as double) / cast(computed.gross_amount as double))
                )
        else 0.0
    end as retail_discount_share,
    cast(computed.discounted_line_count as double) / cast(computed.line_count as double) as discounted_line_share,
    -- coupons
    cast(computed.coupon_discount + computed.coupon_match_discount as decimal(18, 2)) as coupon_value,
    computed.coupon_order_count,
    {{ windowed('coupon_order_count', 90) }},
    cast(computed.coupon_order_count as double) / cast(computed.order_count as double) as coupon_order_share,
    computed.days_since_last_coupon_order
from computed
inner join history on computed.as_of_date = history.as_of_date
