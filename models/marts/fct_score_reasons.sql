select
    -- keys
    customer_id,
    as_of_date,
    model_name,
    model_version,
    campaign_id,
    reason_rank,
    -- the reason
    theme,
    feature,
    direction,
    contribution,
    reason,
    -- provenance
    run_id
from {{ ref('int_scores__score_reasons') }}
