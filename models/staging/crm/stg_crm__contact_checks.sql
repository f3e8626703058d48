with contacts as (
    select * from {{ ref('stg_crm__contacts') }}
    where is_current and loyalty_id is not null
),

cards as (
    select
        *,
        {{ age_band_bound('age_band', 'low') }} as lowest_age,
        {{ age_band_bound('age_band', 'high') }} as highest_age
    from {{ ref('stg_loyalty__members') }}
),

compared as (
    select
        contacts.contact_id,
        contacts.loyalty_id,
        cards.loyalty_id is not null as card_is_known,
        contacts.birth_date as contact_birth_date,
        cards.birth_date as card_birth_date,
        cards.age_band as card_age_band,
        contacts.birth_date = cards.birth_date as birth_date_agrees,
        -- the band was true when the card's record was written
        {{ age_in_years('contacts.birth_date', 'cards.occurred_at') }} as contact_age,
        {{ age_in_years('cards.birth_date', 'cards.occurred_at') }} as card_age,
        cards.lowest_age - {{ setting('normalization.max_age_band_gap_years') }} as lowest_age,
        cards.highest_age + {{ setting('normalization.max_age_band_gap_years') }} as highest_age
    from contacts
    left join cards on contacts.loyalty_id = cards.loyalty_id
),

judged as (
    select
        *,
        case
            when lowest_age is not null or highest_age is not null
                then contact_age between coalesce(lowest_age, 0) and coalesce(highest_age, 1000)
        end as contact_age_agrees,
        case
            when lowest_age is not null or highest_age is not null
                then card_age between coalesce(lowest_age, 0) and coalesce(highest_age, 1000)
        end as card_age_agrees
    from compared
)

select
    -- keys
    contact_id,
    loyalty_id,
    -- what the sources say
    contact_birth_date,
    card_birth_date,
    card_age_band,
    -- whether they agree
    card_is_known,
    birth_date_agrees,
    contact_age_agrees,
    card_age_agrees,
    nullif(concat_ws(
        ', ',
        case when not card_is_known then 'card_unknown' end,
        case when not birth_date_agrees then 'birth_date_not_of_card' end,
        case when not contact_age_agrees then 'contact_age_outside_band' end,
        case when not card_age_agrees then 'card_age_outside_band' end
    ), '') as problems
from judged
