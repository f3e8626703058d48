select
    -- keys
    model_name,
    model_version,
    band,
    -- what it rests on
    hold_out_from,
    hold_out_through,
    rows,
    positives,
    is_champion,
    -- calibration
    mean_predicted,
    observed,
    observed_low,
    observed_high,
    -- gains: of the bands down to this one
    contacted_share,
    recall,
    lift,
    -- provenance
    run_id
from {{ ref('int_scores__model_curves') }}
