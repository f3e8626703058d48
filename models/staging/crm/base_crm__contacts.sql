with landed as (
    select * from {{ visible_rows('crm_contacts') }}
),

judged as (
    select
        *,
        case
            when contact_id is null then 'contact_id is missing'
            when occurred_at is null then 'occurred_at is missing'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        end as problem
    from landed
),

ranked as (
    {{ first_arrivals('judged', key=['contact_id', 'occurred_at'], content=[
        'crm_system', 'loyalty_id', 'user_id', 'first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode',
        'region', 'country', 'birth_date',
    ]) }}
)

select
    -- keys
    contact_id,
    -- an empty number is none: taken as one, it would make one customer of all who have none
    loyalty_id,
    user_id,
    load_id,
    -- the person, as written
    crm_system,
    first_name,
    last_name,
    email,
    phone,
    street,
    city,
    postcode,
    region,
    country,
    birth_date,
    -- times
    occurred_at,
    known_at,
    -- verdict
    reject_reason
from ranked
