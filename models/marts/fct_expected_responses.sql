select
    -- keys
    customer_id,
    as_of_date,
    campaign_type,
    outcome,
    -- the model
    model_name,
    model_version,
    feature_schema_hash,
    -- what is expected
    expected_response,
    expected_low,
    expected_high,
    unit,
    horizon_days,
    fallback_tier,
    -- whether such customers were mailed
    mailing_propensity,
    is_like_mailed,
    -- no effect without an experiment
    incremental_effect,
    incremental_profit,
    effect_missing_reason,
    -- provenance
    run_id
from {{ ref('int_scores__expected_responses') }}
