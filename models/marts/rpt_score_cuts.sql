select
    -- keys
    model_name,
    model_version,
    goal,
    -- what is wanted
    goal_kind,
    wanted,
    -- the cut, and what it was chosen on
    cut,
    selection_first_date,
    selection_last_date,
    selection_rows,
    selection_positives,
    selection_contacted,
    selection_precision,
    selection_recall,
    -- what it gave on the hold-out
    hold_out_date,
    hold_out_rows,
    hold_out_positives,
    people_contacted,
    contacted_share,
    expected_positives,
    missed_positives,
    precision,
    precision_low,
    precision_high,
    recall,
    recall_low,
    recall_high,
    lift,
    expected_profit,
    expected_profit_low,
    expected_profit_high,
    held,
    -- today
    current_as_of_date,
    current_people,
    current_contacted,
    current_expected_positives,
    current_expected_profit,
    -- in words
    precision_in_words,
    recall_in_words,
    caution,
    note,
    reason,
    -- provenance
    run_id
from {{ ref('int_scores__score_cuts') }}
