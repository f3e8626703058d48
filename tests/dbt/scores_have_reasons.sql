-- Of a model whose scores have reasons, every current score has a first one.
with scores as (
    select * from {{ ref('fct_scores') }}
    where is_current
),

reasons as (
    select * from {{ ref('fct_score_reasons') }}
)

select
    scores.customer_id,
    scores.as_of_date,
    scores.model_name,
    scores.campaign_id
from scores
left join reasons
    on
        scores.customer_id = reasons.customer_id
        and scores.as_of_date = reasons.as_of_date
        and scores.model_name = reasons.model_name
        and coalesce(scores.campaign_id, '') = coalesce(reasons.campaign_id, '')
        and reasons.reason_rank = 1
where
    reasons.customer_id is null
    and scores.model_name in (select explained.model_name from reasons as explained)
