select
    -- keys
    model_name,
    hold_out_from,
    hold_out_through,
    challenger_version,
    champion_version,
    -- what was decided
    verdict,
    reason,
    trained_because,
    uses_hold_out,
    decisions_taken,
    -- on what
    rows,
    positives,
    definition_hash,
    -- when
    as_of_date,
    known_from,
    -- provenance
    run_id
from {{ ref('int_scores__model_decisions') }}
