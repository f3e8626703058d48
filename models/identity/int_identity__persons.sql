-- Records that describe a person, one row each: what linkage compares and what must not conflict within a customer.
-- The newest value of each field; what an older version said is not lost, its e-mail and phone stay identifiers.

with contacts as (
    select * from {{ ref('stg_crm__contacts') }}
    where {{ is_among('int_identity__changed_records', 'contact_id', 'source_record_id') }}
),

records as (
    select * from {{ ref('int_identity__source_records') }}
    where
        set_aside_reason is null
        and {{ is_among('int_identity__changed_records', 'source_record_key') }}
),

newest as (
    select
        contact_id,
        {{ newest_value('given_name', by='valid_from') }} as given_name,
        {{ newest_value('last_name', by='valid_from') }} as last_name,
        {{ newest_value('birth_date', by='valid_from') }} as birth_date,
        {{ newest_value('email', by='valid_from') }} as email,
        {{ newest_value('email_key', by='valid_from') }} as email_key,
        {{ newest_value('phone', by='valid_from') }} as phone,
        {{ newest_value('street', by='valid_from') }} as street,
        {{ newest_value('street_number', by='valid_from') }} as street_number,
        {{ newest_value('postcode', by='valid_from') }} as postcode,
        {{ newest_value('city', by='valid_from') }} as city
    from contacts
    group by contact_id
)

select
    -- keys
    records.record_number,
    records.source_record_key,
    -- the person
    newest.given_name,
    newest.last_name,
    newest.birth_date,
    newest.email,
    newest.email_key,
    newest.phone,
    newest.street,
    newest.street_number,
    newest.postcode,
    newest.city
from newest
inner join records
    on
        newest.contact_id = records.source_record_id
        and records.source_system = 'crm_contacts'
