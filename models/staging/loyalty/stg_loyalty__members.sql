select
    -- keys
    loyalty_id,
    load_id,
    -- demographics
    age_band,
    income_band,
    home_ownership,
    marital_status,
    household_size,
    household_composition,
    kids_count,
    -- times
    occurred_at,
    known_at
from {{ ref('base_loyalty__members') }}
where reject_reason is null
