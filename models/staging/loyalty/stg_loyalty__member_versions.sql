with members as (
    select * from {{ ref('base_loyalty__members') }}
    where
        reject_reason is null
        or reject_reason = 'a later version of this key stands'
)

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
    coalesce(occurred_at, known_at) as valid_from,
    known_at
from members
