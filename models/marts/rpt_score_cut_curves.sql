select
    -- keys
    model_name,
    model_version,
    hold_out_date,
    cut,
    -- whom it reaches
    people_contacted,
    contacted_share,
    expected_positives,
    missed_positives,
    -- how well
    precision,
    precision_low,
    precision_high,
    recall,
    recall_low,
    recall_high,
    lift,
    -- today
    current_contacted,
    -- provenance
    run_id
from {{ ref('int_scores__score_cut_curves') }}
