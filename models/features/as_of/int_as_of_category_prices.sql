-- What the products of each category cost on average before each as-of date: what a customer's own prices are held
-- against. The mean of logarithms, so that a bottle for 20 beside ten for 5 does not make the shop expensive.

with as_of_dates as (
    select as_of_date from {{ ref('int_as_of_dates') }}
),

bought as (
    select * from {{ ref('int_activity__purchased_categories') }}
    where priced_line_count > 0
),

changes as (
    select
        product_category,
        counts_from as day,
        priced_line_count,
        log_unit_price
    from bought
    union all
    select
        product_category,
        counts_until as day,
        -priced_line_count as priced_line_count,
        -log_unit_price as log_unit_price
    from bought
    where counts_until is not null
),

changes_by_day as (
    select
        product_category,
        day,
        sum(priced_line_count) as priced_line_count,
        sum(log_unit_price) as log_unit_price
    from changes
    group by product_category, day
),

numbers as (
    select
        product_category,
        row_number() over (order by product_category) as category_number
    from changes_by_day
    group by product_category
)

select
    -- keys
    as_of_dates.as_of_date,
    changes_by_day.product_category,
    cast(max(numbers.category_number) as integer) as category_number,
    -- prices
    cast(sum(changes_by_day.priced_line_count) as bigint) as priced_line_count,
    cast(sum(changes_by_day.log_unit_price) / sum(changes_by_day.priced_line_count) as decimal(9, 6))
        as mean_log_unit_price
from as_of_dates
inner join changes_by_day on as_of_dates.as_of_date > changes_by_day.day
inner join numbers on changes_by_day.product_category = numbers.product_category
group by as_of_dates.as_of_date, changes_by_day.product_category
having sum(changes_by_day.priced_line_count) > 0
