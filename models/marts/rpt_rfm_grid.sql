with features as (
    select * from {{ ref('feat_customer_rfm') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
)

select
    -- keys
    features.last_order_score,
    features.order_count_score,
    features.rfm_cell,
    -- counts
    cast(count(*) as integer) as customer_count,
    -- amounts
    cast(sum(features.total_spend) as decimal(18, 2)) as total_spend
from features
inner join as_of_dates on features.as_of_date = as_of_dates.as_of_date
group by features.last_order_score, features.order_count_score, features.rfm_cell
