with features as (
    select * from {{ ref('feat_customer_discount') }}
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
    and features.retail_discount_share >= {{ setting('segments.discount_share') }}
