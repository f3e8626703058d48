-- What each buyer bought of each category, a row a day and span in which it counts: what taste is read from.

with order_lines as (
    select
        *,
        coalesce(product_category, 'unknown') as category,
        cast(date_trunc('month', order_date) as date) as month_start
    from {{ ref('int_activity__order_lines') }}
    where line_type = 'sale'
),

prices as (
    select * from {{ ref('int_activity__category_prices') }}
),

held_against_prices as (
    select
        order_lines.*,
        order_lines.log_unit_price - prices.mean_log_unit_price as log_price_above_mean
    from order_lines
    left join prices
        on
            order_lines.month_start = prices.month_start
            and order_lines.category = prices.product_category
)

select
    -- keys
    record_hash,
    coalesce(department, 'unknown') as department,
    category as product_category,
    -- dates
    order_date as day,
    counts_from,
    counts_until,
    -- counts
    cast(count(*) as integer) as line_count,
    cast(count(log_price_above_mean) as integer) as priced_line_count,
    -- amounts
    cast(sum(net_amount) as decimal(18, 2)) as net_amount,
    cast(coalesce(sum(log_price_above_mean), 0) as decimal(18, 6)) as log_price_above_mean
from held_against_prices
group by record_hash, department, category, order_date, counts_from, counts_until
order by record_hash
