select
    -- keys
    campaign_type,
    campaign_id,
    as_of_date,
    feature,
    -- counts
    mailed_count,
    not_mailed_count,
    -- means
    mailed_mean,
    not_mailed_mean,
    mean_ratio,
    -- balance
    standardized_difference,
    variance_ratio,
    is_balanced,
    -- overlap
    mailed_low,
    mailed_high,
    not_mailed_low,
    not_mailed_high,
    mailed_within,
    not_mailed_within,
    -- provenance
    run_id
from {{ ref('int_scores__campaign_balance') }}
