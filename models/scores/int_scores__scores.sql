select
    customer_id,
    as_of_date,
    model_name,
    model_version,
    campaign_id,
    score,
    score_kind,
    unit,
    horizon_days,
    fallback_tier,
    run_id
from {{ source('ml', 'scores') }}
