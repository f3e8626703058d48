-- Over the product categories of a customer, which are not kept one by one: there are hundreds, at every date.
with {{ over_time([
    {
        'relation': 'int_activity__purchased_categories',
        'spans': true,
        'sums': {
            'line_count': {'of': 'line_count', 'windows': [none]},
            'priced_line_count': {'of': 'priced_line_count', 'windows': [none]},
            'log_price_above_mean': {'of': 'log_price_above_mean', 'windows': [none]},
        },
    },
], by='product_category') }},

-- numbers, because a greatest text of so many rows is dear
categories as (
    select
        product_category,
        row_number() over (order by product_category) as category_number
    from {{ ref('int_activity__purchased_categories') }}
    group by product_category
),

numbered as (
    select
        over_time.customer_id,
        over_time.as_of_date,
        over_time.line_count,
        over_time.priced_line_count,
        over_time.log_price_above_mean,
        categories.category_number,
        -- rounded one by one, so that the sum is the same in any order
        cast(1e6 * over_time.line_count * ln(over_time.line_count) as bigint) as n_log_n
    from over_time
    inner join categories on over_time.product_category = categories.product_category
    where over_time.line_count > 0
),

summed as (
    select
        customer_id,
        as_of_date,
        sum(line_count) as line_count,
        sum(priced_line_count) as priced_line_count,
        -- the category of most lines as one number, of several the last by name: less than a million have names
        max(line_count * cast(1000000 as bigint) + category_number) as favorite,
        sum(n_log_n) as sum_of_n_log_n,
        sum(log_price_above_mean) as log_price_above_mean
    from numbered
    group by customer_id, as_of_date
)

select
    -- keys
    summed.customer_id,
    summed.as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- counts
    cast(summed.line_count as integer) as line_count,
    cast(summed.priced_line_count as integer) as priced_line_count,
    cast(floor(summed.favorite / 1000000) as integer) as favorite_line_count,
    categories.product_category as favorite_category,
    -- of logarithms
    cast(summed.sum_of_n_log_n / 1e6 as decimal(18, 6)) as sum_of_n_log_n,
    cast(summed.log_price_above_mean as decimal(18, 6)) as log_price_above_mean
from summed
inner join categories on summed.favorite % 1000000 = categories.category_number
