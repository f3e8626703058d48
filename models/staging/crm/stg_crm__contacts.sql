with contacts as (
    select * from {{ ref('base_crm__contacts') }}
    where reject_reason is null
),

phones as (
    select * from {{ ref('base_crm__phones') }}
),

word_lists as (
    select
        (select {{ map_of('nickname', 'given_name') }} from {{ ref('nicknames') }}) as nicknames,
        (select {{ map_of('word', 'short_word') }} from {{ ref('street_words') }}) as street_words
),

-- Texts that only fill a field say nothing: what is left was meant.
said as (
    select
        contact_id,
        crm_system,
        loyalty_id,
        user_id,
        load_id,
        first_name,
        last_name,
        email,
        phone,
        street,
        city,
        postcode,
        country,
        birth_date,
        occurred_at,
        known_at,
        {{ written_text('email') }} as said_email,
        {{ written_text('phone') }} as said_phone,
        {{ written_text('street') }} as said_street,
        {{ written_text('city') }} as said_city,
        {{ written_text('postcode') }} as said_postcode,
        {{ written_text('region') }} as said_region,
        {{ written_text('birth_date') }} as said_birth_date
    from contacts
),

cleaned as (
    select
        said.*,
        {{ normalize_name('said.first_name') }} as plain_first_name,
        {{ normalize_name('said.last_name') }} as plain_last_name,
        {{ normalize_email('said.said_email') }} as plain_email,
        {{ normalize_street('said.said_street', 'word_lists.street_words') }} as plain_street,
        {{ normalize_city('said.said_city') }} as plain_city,
        upper(said.said_region) as plain_region,
        case
            when {{ matches_pattern('said.country', '^ *[A-Za-z]{2} *$') }} then upper(trim(said.country))
            else {{ setting('normalization.default_region') }}
        end as country_code
    from said
    cross join word_lists
),

read_out as (
    select
        cleaned.*,
        {{ given_name('cleaned.plain_first_name', 'word_lists.nicknames') }} as given_name,
        {{ is_email('cleaned.plain_email') }} as email_is_valid,
        {{ normalize_postcode('cleaned.said_postcode', 'cleaned.country_code') }} as plain_postcode,
        {{ street_number('cleaned.plain_street') }} as street_number,
        {{ parse_birth_date('cleaned.said_birth_date', 'cleaned.occurred_at') }} as read_birth_date,
        phones.phone as e164_phone,
        {{ matches_any(
            "coalesce(cleaned.plain_email, '') || '|' || concat_ws(' ', cleaned.plain_first_name, cleaned.plain_last_name)",
            setting_value('normalization.test_account_patterns')
        ) }} as is_test_account
    from cleaned
    cross join word_lists
    left join phones
        on
            cleaned.phone = phones.written_phone
            and cleaned.country is not distinct from phones.written_country
),

aged as (
    select
        *,
        {{ age_in_years('read_birth_date', 'occurred_at') }} as age
    from read_out
),

-- The city that most contacts of a postcode name, where they are many and agree: no table of places is needed.
city_counts as (
    select
        country_code,
        plain_postcode,
        plain_city,
        count(*) as contact_count
    from aged
    where plain_postcode is not null and plain_city is not null
    group by country_code, plain_postcode, plain_city
),

ranked_cities as (
    select
        country_code,
        plain_postcode,
        plain_city as usual_city,
        contact_count,
        sum(contact_count) over (partition by country_code, plain_postcode) as postcode_count,
        row_number() over (
            partition by country_code, plain_postcode
            order by contact_count desc, plain_city asc
        ) as city_rank
    from city_counts
),

usual_cities as (
    select * from ranked_cities
    where
        city_rank = 1
        and postcode_count >= {{ setting('normalization.city_min_contacts') }}
        and contact_count >= {{ setting('normalization.city_min_share') }} * postcode_count
),

-- How often a name stands first and how often last: two that both stand in the unusual place look swapped.
name_uses as (
    select
        plain_first_name as name,
        1 as as_first,
        0 as as_last
    from aged
    union all
    select
        plain_last_name as name,
        0 as as_first,
        1 as as_last
    from aged
),

name_places as (
    select
        name,
        sum(as_first) as as_first,
        sum(as_last) as as_last
    from name_uses
    group by name
),

usually_first as (
    select name from name_places
    where as_first >= 3 and as_first > 3 * as_last
),

usually_last as (
    select name from name_places
    where as_last >= 3 and as_last > 3 * as_first
),

flagged as (
    select
        aged.*,
        usual_cities.usual_city,
        aged.age not between 0 and {{ setting('normalization.max_age_years') }} as age_is_impossible,
        nullif(concat_ws(
            ', ',
            case when not aged.email_is_valid then 'email_invalid' end,
            case when aged.said_phone is not null and aged.e164_phone is null then 'phone_invalid' end,
            case when aged.said_postcode is not null and aged.plain_postcode is null then 'postcode_invalid' end,
            case
                when aged.said_birth_date is not null and aged.read_birth_date is null then 'birth_date_unreadable'
            end,
            case when aged.read_birth_date > cast(aged.occurred_at as date) then 'born_after_written' end,
            case when aged.age > {{ setting('normalization.max_age_years') }} then 'age_impossible' end,
            case
                when aged.age between 0 and {{ setting('normalization.min_age_years') }} - 1 then 'age_too_low'
            end,
            case when aged.plain_city <> usual_cities.usual_city then 'city_not_of_postcode' end,
            case when usually_last.name is not null and usually_first.name is not null then 'names_look_swapped' end
        ), '') as problems
    from aged
    left join usual_cities
        on aged.country_code = usual_cities.country_code and aged.plain_postcode = usual_cities.plain_postcode
    left join usually_last on aged.plain_first_name = usually_last.name
    left join usually_first on aged.plain_last_name = usually_first.name
),

versioned as (
    select
        *,
        lead(occurred_at) over (partition by contact_id order by occurred_at) as valid_to
    from flagged
)

select
    -- keys
    contact_id,
    crm_system,
    loyalty_id,
    user_id,
    load_id,
    -- the person, to compare by
    plain_first_name as first_name,
    given_name,
    plain_last_name as last_name,
    case when email_is_valid then plain_email end as email,
    case when email_is_valid then {{ email_key('plain_email') }} end as email_key,
    e164_phone as phone,
    plain_street as street,
    street_number,
    plain_city as city,
    plain_postcode as postcode,
    plain_region as region,
    country_code as country,
    case when not age_is_impossible then read_birth_date end as birth_date,
    -- the person, as written
    first_name as written_first_name,
    last_name as written_last_name,
    email as written_email,
    phone as written_phone,
    street as written_street,
    city as written_city,
    postcode as written_postcode,
    birth_date as written_birth_date,
    -- what is wrong with it
    email_is_valid,
    case when said_phone is not null then e164_phone is not null end as phone_is_valid,
    case when said_postcode is not null then plain_postcode is not null end as postcode_is_valid,
    case
        when said_birth_date is not null then read_birth_date is not null and not age_is_impossible
    end as birth_date_is_valid,
    usual_city,
    is_test_account,
    problems,
    -- times
    occurred_at as valid_from,
    valid_to,
    valid_to is null as is_current,
    known_at
from versioned
