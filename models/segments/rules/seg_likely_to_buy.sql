with scores as (
    select * from {{ ref('int_scores__scores') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
)

select
    scores.customer_id,
    scores.as_of_date
from scores
inner join as_of_dates on scores.as_of_date = as_of_dates.as_of_date
where
    as_of_dates.is_current
    and scores.model_name = 'purchase_propensity'
    and scores.score >= {{ setting('segments.likely_to_buy_score') }}
