with features as (
    select * from {{ ref('feat_customer_rfm') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
)

select
    features.customer_id,
    features.as_of_date
from features
inner join as_of_dates on features.as_of_date = as_of_dates.as_of_date
where
    as_of_dates.is_current
    and features.order_count >= {{ setting('segments.at_risk_min_orders') }}
    and features.order_gap_ratio > {{ setting('segments.at_risk_gap_multiple') }}
    and features.days_since_last_order <= {{ setting('segments.lapsed_days') }}
