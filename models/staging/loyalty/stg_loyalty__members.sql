with members as (
    select
        *,
        {{ parse_birth_date('birth_date', 'occurred_at') }} as said_birth_date
    from {{ ref('base_loyalty__members') }}
    where reject_reason is null
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
    case
        when
            {{ age_in_years('said_birth_date', 'occurred_at') }}
            between 0 and {{ setting('normalization.max_age_years') }}
            then said_birth_date
    end as birth_date,
    birth_date as written_birth_date,
    -- times
    occurred_at,
    known_at
from members
