select
    -- keys
    customer_id,
    as_of_date,
    model_name,
    model_version,
    feature_schema_hash,
    campaign_id,
    -- the score
    score,
    score_low,
    score_high,
    score_kind,
    unit,
    horizon_days,
    fallback_tier,
    -- of each model and campaign the newest date
    as_of_date = max(as_of_date) over (partition by model_name, campaign_id) as is_current,
    -- provenance
    run_id
from {{ ref('int_scores__scores') }}
