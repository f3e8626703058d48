select
    -- keys
    customer_id,
    as_of_date,
    model_name,
    model_version,
    campaign_id,
    -- the score
    score,
    score_kind,
    unit,
    horizon_days,
    fallback_tier,
    -- provenance
    run_id
from {{ ref('int_scores__scores') }}
