with landed as (
    select * from {{ visible_rows('loyalty_members') }}
),

judged as (
    select
        *,
        case
            when loyalty_id is null then 'loyalty_id is missing'
        end as problem
    from landed
),

{{ versions_of('judged', keys=['loyalty_id'], content=[
    'age_band', 'income_band', 'home_ownership', 'marital_status', 'household_size', 'household_composition', 'kids_count',
    'birth_date', 'occurred_at',
]) }}

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
    birth_date,
    -- times
    occurred_at,
    known_at,
    -- verdict
    {{ reject_reason() }} as reject_reason
from versions
