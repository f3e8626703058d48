-- Records that describe a person, one row each: what linkage compares and what must not conflict within a customer.
-- The newest value of each field; what an older version said is not lost, its e-mail and phone stay identifiers.

with contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

records as (
    select * from {{ ref('int_identity__source_records') }}
    where set_aside_reason is null
),

newest as (
    select
        contact_id,
        {% for field in [
            'given_name', 'last_name', 'birth_date', 'email', 'email_key', 'phone', 'street', 'street_number', 'postcode', 'city'
        ] -%}
            {{ newest_value(field, by='valid_from') }} as {{ field }}{{ ',' if not loop.last }}
        {% endfor %}
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
