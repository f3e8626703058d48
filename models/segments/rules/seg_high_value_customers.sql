with features as (
    select * from {{ ref('feat_customer_rfm') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

ranked as (
    select
        features.customer_id,
        features.as_of_date,
        percent_rank() over (partition by features.as_of_date order by features.spend_90d) as spend_percent_rank
    from features
    inner join as_of_dates on features.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_current
)

select
    customer_id,
    as_of_date
from ranked
where spend_percent_rank >= {{ setting('segments.high_value_quantile') }}
