with landed as (
    select * from {{ visible_rows('loyalty_members') }}
),

judged as (
    select
        *,
        case
            when nullif(trim(loyalty_id), '') is null then 'loyalty_id is missing'
        end as problem
    from landed
),

versioned as (
    select
        *,
        row_number() over (
            partition by loyalty_id
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
)

select
    -- keys
    -- an empty card number is none: taken as one, it would make one customer of all who have none
    nullif(trim(loyalty_id), '') as loyalty_id,
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
    coalesce(problem, case when version_rank > 1 then 'a later version of this key stands' end) as reject_reason
from versioned
