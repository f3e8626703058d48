-- What each buyer bought of each category, a row a day and span in which it counts: what taste is read from.

with order_lines as (
    select * from {{ ref('int_activity__order_lines') }}
    where line_type = 'sale'
)

select
    -- keys
    record_hash,
    coalesce(department, 'unknown') as department,
    coalesce(product_category, 'unknown') as product_category,
    -- dates
    order_date as day,
    counts_from,
    counts_until,
    -- counts
    cast(count(*) as integer) as line_count,
    cast(count(log_unit_price) as integer) as priced_line_count,
    -- amounts
    cast(sum(net_amount) as decimal(18, 2)) as net_amount,
    cast(coalesce(sum(log_unit_price), 0) as decimal(18, 6)) as log_unit_price
from order_lines
group by record_hash, department, product_category, order_date, counts_from, counts_until
order by record_hash
