-- What the products of each category cost on average before each month: what the prices of the month are held against.
-- As of the month, and not of an as-of date, so that what a customer's line says does not depend on what others buy
-- later. The mean of logarithms: a bottle for 20 beside ten for 5 does not make the shop expensive.

with order_lines as (
    select
        *,
        coalesce(product_category, 'unknown') as category
    from {{ ref('int_activity__order_lines') }}
    where log_unit_price is not null
),

months as (
    select cast(date_trunc('month', order_date) as date) as month_start
    from order_lines
    group by cast(date_trunc('month', order_date) as date)
),

changes as (
    select
        category,
        counts_from as day,
        1 as line_count,
        log_unit_price
    from order_lines
    union all
    select
        category,
        counts_until as day,
        -1 as line_count,
        -log_unit_price as log_unit_price
    from order_lines
    where counts_until is not null
),

changes_by_day as (
    select
        category,
        day,
        sum(line_count) as line_count,
        sum(log_unit_price) as log_unit_price
    from changes
    group by category, day
)

select
    -- keys
    months.month_start,
    changes_by_day.category as product_category,
    -- prices
    cast(sum(changes_by_day.line_count) as bigint) as priced_line_count,
    -- to a hundredth: a late line moves it seldom, and then all who bought of the category since are computed anew
    cast(sum(changes_by_day.log_unit_price) / sum(changes_by_day.line_count) as decimal(9, 2))
        as mean_log_unit_price
from months
inner join changes_by_day on months.month_start > changes_by_day.day
group by months.month_start, changes_by_day.category
having sum(changes_by_day.line_count) > 0
