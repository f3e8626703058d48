{#- One number for all that staging says of a contact in any version: where it differs, the contact is read again. -#}
{%- macro content_of_contacts(condition='true') -%}
    select
        contact_id,
        bit_xor({{ fast_hash([
            'crm_system', 'loyalty_id', 'user_id', 'first_name', 'last_name', 'written_first_name', 'written_last_name',
            'given_name', 'email', 'email_key', 'phone', 'written_street', 'street', 'street_number', 'written_city',
            'city', 'postcode', 'region', 'country', 'birth_date', 'is_test_account', 'valid_from', 'known_at',
        ]) }}) as content_hash
    from {{ ref('stg_crm__contacts') }}
    where {{ condition }}
    group by contact_id
{%- endmacro -%}
