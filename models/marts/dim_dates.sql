with orders as (
    select * from {{ ref('stg_shop__orders') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

bounds as (
    select
        (select min(order_date) from orders) as first_date,
        (select max(order_date) from orders) as last_order_date,
        (select max(as_of_date) from as_of_dates) as last_as_of_date
),

-- an as-of date that was asked for may lie before the last order, and every order has its day here
days as (
    {{ date_spine(
        '(select first_date from bounds)',
        '(select greatest(last_order_date, last_as_of_date) from bounds)',
    ) }}
)

select
    -- keys
    date_day,
    -- parts
    cast(extract(year from date_day) as integer) as calendar_year,
    cast(extract(quarter from date_day) as integer) as calendar_quarter,
    cast(extract(month from date_day) as integer) as calendar_month,
    cast(extract(day from date_day) as integer) as day_of_month,
    cast(extract(dow from date_day) as integer) as day_of_week,
    extract(dow from date_day) in (0, 6) as is_weekend
from days
