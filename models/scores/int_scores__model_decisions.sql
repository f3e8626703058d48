select
    model_name,
    decisions_taken,
    hold_out_from,
    hold_out_through,
    uses_hold_out,
    challenger_version,
    champion_version,
    verdict,
    reason,
    trained_because,
    as_of_date,
    known_from,
    definition_hash,
    rows,
    positives,
    run_id
from {{ source('ml', 'model_decisions') }}
