with landed as (
    select * from {{ visible_rows('loyalty_members') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by loyalty_id
            order by known_at desc, load_sequence desc
        ) as version_rank
    from landed
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
    occurred_at,
    known_at,
    -- verdict
    case
        when loyalty_id is null then 'loyalty_id is missing'
        when version_rank > 1 then 'a later version of this key stands'
    end as reject_reason
from versioned
