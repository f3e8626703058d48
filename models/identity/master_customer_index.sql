-- Source record to customer, through time. What held for no time at all (two changes at one instant) is left out here
-- and stays in the ledger.

select
    -- keys
    source_system,
    source_record_id,
    customer_id,
    source_record_key,
    -- why
    match_rule,
    match_confidence,
    -- when
    valid_from,
    valid_to,
    is_assumed
from {{ ref('int_identity__memberships') }}
where
    customer_id is not null
    and {{ is_among('int_identity__touched_memberships', 'source_record_key') }}
    and (valid_to is null or valid_to > valid_from)
