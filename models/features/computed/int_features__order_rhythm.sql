-- The usual pause between two purchase days: the median of the gaps up to each purchase day, holding until the next.
-- Where orders were taken back, became known late or changed hands, the days differ from date to date: there the median
-- is taken at each due date.

with orders as (
    select
        owners.customer_number,
        owners.grid,
        owners.starts_at,
        owners.ends_at,
        orders.order_date,
        orders.counts_from,
        orders.counts_until,
        orders.counts_until is not null
        or orders.counts_from > orders.order_date
        or owners.starts_at > 1
        or owners.ends_at <= owners.last_number as is_irregular
    from {{ ref('int_activity__orders') }} as orders
    inner join {{ ref('int_activity__owners') }} as owners on orders.record_hash = owners.record_hash
),

irregular as (
    select customer_number from orders
    where is_irregular
    group by customer_number
),

regular_days as (
    select
        orders.customer_number,
        orders.order_date
    from orders
    left join irregular on orders.customer_number = irregular.customer_number
    where irregular.customer_number is null
    group by orders.customer_number, orders.order_date
),

regular_gaps as (
    select
        customer_number,
        order_date,
        cast(
            order_date - lag(order_date) over (partition by customer_number order by order_date) as integer
        ) as days_since_previous_order
    from regular_days
),

regular_medians as (
    select
        customer_number,
        order_date as last_order_date,
        cast(null as integer) as date_number,
        median(days_since_previous_order) over (
            partition by customer_number
            order by order_date
            rows between unbounded preceding and current row
        ) as median_days_between_orders
    from regular_gaps
),

irregular_days as (
    select
        orders.customer_number,
        dates.date_number,
        orders.order_date
    from orders
    inner join irregular on orders.customer_number = irregular.customer_number
    inner join {{ ref('int_as_of_grid') }} as dates
        on
            orders.grid = dates.grid
            and orders.order_date < dates.as_of_date
            and orders.counts_from < dates.as_of_date
            and (orders.counts_until is null or orders.counts_until >= dates.as_of_date)
            and orders.starts_at <= dates.date_number
            and orders.ends_at > dates.date_number
    group by orders.customer_number, dates.date_number, orders.order_date
),

irregular_gaps as (
    select
        customer_number,
        date_number,
        cast(
            order_date - lag(order_date) over (partition by customer_number, date_number order by order_date) as integer
        ) as days_since_previous_order
    from irregular_days
),

irregular_medians as (
    select
        customer_number,
        cast(null as date) as last_order_date,
        date_number,
        median(days_since_previous_order) as median_days_between_orders
    from irregular_gaps
    group by customer_number, date_number
),

medians as (
    select * from regular_medians
    union all
    select * from irregular_medians
)

select
    -- keys
    customers.customer_id,
    medians.last_order_date,
    as_of_grid.as_of_date,
    -- the pause
    cast(medians.median_days_between_orders as double) as median_days_between_orders
from medians
inner join {{ ref('int_activity__customers') }} as customers on medians.customer_number = customers.customer_number
left join {{ ref('int_as_of_grid') }} as as_of_grid
    on
        customers.grid = as_of_grid.grid
        and medians.date_number = as_of_grid.date_number
