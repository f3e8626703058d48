with customer_days as (
    select * from {{ ref('int_activity__customer_days') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

aggregated as (
    select
        customer_days.customer_id,
        as_of_dates.as_of_date,
        sum(customer_days.order_count) as order_count,
        sum(customer_days.evening_order_count) as evening_order_count,
        sum(
            case when customer_days.is_weekend then customer_days.order_count else 0 end
        ) as weekend_order_count,
        sum(customer_days.line_count) as line_count,
        sum(customer_days.new_product_count) as product_count,
        sum(customer_days.new_category_count) as category_count,
        sum(customer_days.new_store_count) as store_count,
        sum(customer_days.private_brand_amount) as private_brand_amount,
        sum(customer_days.order_total) as total_spend
    from as_of_dates
    inner join customer_days
        on {{ known_before('as_of_dates.as_of_date') }}
    group by customer_days.customer_id, as_of_dates.as_of_date
)

select
    -- keys
    customer_id,
    as_of_date,
    -- size
    cast(line_count as double) / cast(order_count as double) as mean_lines_per_order,
    cast(total_spend as double) / cast(line_count as double) as mean_line_value,
    -- variety
    cast(product_count as integer) as product_count,
    cast(category_count as integer) as category_count,
    cast(store_count as integer) as store_count,
    1 - cast(product_count as double) / cast(line_count as double) as repeat_line_share,
    -- habits
    case
        when total_spend > 0
            then least(1.0, greatest(0.0, cast(private_brand_amount as double) / cast(total_spend as double)))
        else 0.0
    end as private_brand_spend_share,
    cast(weekend_order_count as double) / cast(order_count as double) as weekend_order_share,
    cast(evening_order_count as double) / cast(order_count as double) as evening_order_share
from aggregated
