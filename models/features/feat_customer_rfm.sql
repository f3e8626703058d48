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
        customer_days.days_since_previous_order,
        customer_days.order_count,
        customer_days.order_total
    from as_of_dates
    inner join customer_days
        on {{ known_before('as_of_dates.as_of_date') }}
),

aggregated as (
    select
        customer_id,
        as_of_date,
        max(days_ago) as customer_age_days,
        min(days_ago) as days_since_last_order,
        count(*) as purchase_day_count,
        count(*) filter (where days_ago <= 28) as purchase_day_count_28d,
        count(*) filter (where days_ago <= 91) as purchase_day_count_91d,
        median(days_since_previous_order) as median_days_between_orders,
        sum(order_count) as order_count,
        coalesce(sum(order_count) filter (where days_ago <= 14), 0) as order_count_14d,
        coalesce(sum(order_count) filter (where days_ago <= 28), 0) as order_count_28d,
        coalesce(sum(order_count) filter (where days_ago <= 91), 0) as order_count_91d,
        sum(order_total) as total_spend,
        coalesce(sum(order_total) filter (where days_ago <= 28), 0) as spend_28d,
        coalesce(sum(order_total) filter (where days_ago <= 91), 0) as spend_91d
    from earlier_days
    group by customer_id, as_of_date
),

ranked as (
    -- rank() gives ties one place: whoever last bought on the same day gets the same score, and so do all
    -- one-time buyers; ntile() would cut through ties in an order that may differ from run to run
    select
        *,
        count(*) over (partition by as_of_date) as customer_count,
        rank() over (partition by as_of_date order by days_since_last_order) as last_order_rank,
        rank() over (partition by as_of_date order by order_count) as order_count_rank,
        rank() over (partition by as_of_date order by total_spend) as spend_rank
    from aggregated
),

scored as (
    select
        *,
        cast(5 - floor(5 * (last_order_rank - 1) / customer_count) as integer) as last_order_score,
        cast(1 + floor(5 * (order_count_rank - 1) / customer_count) as integer) as order_count_score,
        cast(1 + floor(5 * (spend_rank - 1) / customer_count) as integer) as spend_score
    from ranked
),

named as (
    -- read from top to bottom: the first line that fits names the customer
    select
        *,
        case
            when last_order_score >= 4 and order_count_score >= 4 and spend_score >= 4 then 'Champions'
            when last_order_score >= 3 and order_count_score >= 4 then 'Loyal regulars'
            when last_order_score >= 3 and spend_score >= 4 then 'Big spenders'
            when last_order_score >= 4 and customer_age_days <= 56 then 'New customers'
            when last_order_score >= 4 and order_count_score >= 2 then 'Promising'
            when last_order_score >= 3 then 'Occasional shoppers'
            when order_count_score >= 4 and spend_score >= 4 then 'Slipping away: top customers'
            when order_count_score >= 3 or spend_score >= 3 then 'Slipping away'
            when last_order_score = 2 then 'Going quiet'
            else 'Lapsed'
        end as rfm_cell
    from scored
)

select
    -- keys
    customer_id,
    as_of_date,
    -- time
    customer_age_days,
    days_since_last_order,
    median_days_between_orders,
    cast(days_since_last_order as double) / median_days_between_orders as order_gap_ratio,
    -- counts
    cast(order_count as integer) as order_count,
    cast(order_count_14d as integer) as order_count_14d,
    cast(order_count_28d as integer) as order_count_28d,
    cast(order_count_91d as integer) as order_count_91d,
    cast(purchase_day_count_28d as integer) as purchase_day_count_28d,
    cast(purchase_day_count_91d as integer) as purchase_day_count_91d,
    cast(purchase_day_count - 1 as integer) as repeat_purchase_day_count,
    -- amounts
    cast(total_spend as decimal(18, 2)) as total_spend,
    cast(spend_28d as decimal(18, 2)) as spend_28d,
    cast(spend_91d as decimal(18, 2)) as spend_91d,
    cast(total_spend as double) / cast(order_count as double) as mean_order_value,
    -- scores
    last_order_score,
    order_count_score,
    spend_score,
    rfm_cell
from named
