with customer_days as (
    select * from {{ ref('int_activity__customer_days') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

earlier_days as (
    select
        customer_days.customer_id,
        as_of_dates.as_of_date,
        cast(as_of_dates.as_of_date - customer_days.order_date as integer) as days_ago,
        customer_days.order_count,
        customer_days.coupon_order_count,
        customer_days.line_count,
        customer_days.discounted_line_count,
        customer_days.gross_amount,
        customer_days.retail_discount,
        customer_days.coupon_discount + customer_days.coupon_match_discount as coupon_value
    from as_of_dates
    inner join customer_days
        on {{ known_before('as_of_dates.as_of_date') }}
),

aggregated as (
    select
        customer_id,
        as_of_date,
        min(days_ago) filter (where coupon_order_count > 0) as days_since_last_coupon_order,
        sum(order_count) as order_count,
        sum(coupon_order_count) as coupon_order_count,
        coalesce(sum(coupon_order_count) filter (where days_ago <= 91), 0) as coupon_order_count_91d,
        sum(line_count) as line_count,
        sum(discounted_line_count) as discounted_line_count,
        sum(gross_amount) as gross_amount,
        sum(retail_discount) as retail_discount,
        sum(coupon_value) as coupon_value
    from earlier_days
    group by customer_id, as_of_date
)

select
    -- keys
    customer_id,
    as_of_date,
    -- shelf discounts
    case
        when gross_amount > 0
            then least(1.0, greatest(0.0, cast(retail_discount as double) / cast(gross_amount as double)))
        else 0.0
    end as retail_discount_share,
    cast(discounted_line_count as double) / cast(line_count as double) as discounted_line_share,
    -- coupons
    cast(coupon_value as decimal(18, 2)) as coupon_value,
    cast(coupon_order_count as integer) as coupon_order_count,
    cast(coupon_order_count_91d as integer) as coupon_order_count_91d,
    cast(coupon_order_count as double) / cast(order_count as double) as coupon_order_share,
    days_since_last_coupon_order
from aggregated
