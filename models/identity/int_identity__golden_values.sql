{#-
    Survivorship: of all that the records of a customer say of a field, the word of the most trusted source stands, of one
    source the newest, and of equals the first by key. Trust is the setting identity.trust for the systems of
    crm_contacts; then come the loyalty card, the web login, and addresses that mails were sent to or came from.
-#}
{%- set trusted = (setting_value('identity') or {}).trust or [] -%}
{%- set fields = {
    'first_name': 'written_first_name', 'last_name': 'written_last_name', 'email': 'email', 'phone': 'phone',
    'street': 'written_street', 'city': 'written_city', 'postcode': 'postcode', 'region': 'region', 'country': 'country',
    'birth_date': 'cast(birth_date as varchar)',
} -%}

with customer_index as (
    select * from {{ ref('master_customer_index') }}
    where
        valid_to is null
        and {{ is_among('int_identity__touched_customers', 'customer_id') }}
),

-- The texts of a field are cleaned for those alone that are asked about.
contacts as (
    select contacts.*
    from {{ ref('stg_crm__contacts') }} as contacts
    inner join customer_index
        on
            contacts.contact_id = customer_index.source_record_id
            and customer_index.source_system = 'crm_contacts'
),

said as (
    {% for field, column in fields.items() -%}
        select
            '{{ field }}' as field,
            {{ clean_text(column) if column.startswith('written_') else column }} as field_value,
            'crm_contacts' as source_system,
            contact_id as source_record_id,
            case crm_system
                {%- for system in trusted %}
                    when {{ sql_text(system) }} then {{ loop.index }}
                {%- endfor %}
                else {{ trusted | length + 1 }}
            end as trust,
            valid_from as written_at
        from contacts
        union all
    {% endfor -%}
    select
        'birth_date' as field,
        cast(birth_date as varchar) as field_value,
        'loyalty_members' as source_system,
        loyalty_id as source_record_id,
        {{ trusted | length + 2 }} as trust,
        occurred_at as written_at
    from {{ ref('stg_loyalty__members') }}
    union all
    -- an aggregate, or the engine would read all addresses before it looks at whose they are
    select
        'email' as field,
        max({{ normalize_email('email') }}) as field_value,
        'web_users' as source_system,
        user_id as source_record_id,
        {{ trusted | length + 3 }} as trust,
        last_seen_at as written_at
    from {{ ref('stg_web__identifications') }}
    where
        email is not null
        and user_id in (select customer_index.source_record_id from customer_index)
    group by user_id, email, last_seen_at
    union all
    select
        'email' as field,
        source_record_id as field_value,
        source_system,
        source_record_id,
        {{ trusted | length + 4 }} as trust,
        last_seen_at as written_at
    from {{ ref('int_identity__source_records') }}
    where source_system = 'emails'
),

of_customers as (
    select
        customer_index.customer_id,
        said.*
    from said
    inner join customer_index
        on
            said.source_system = customer_index.source_system
            and said.source_record_id = customer_index.source_record_id
    where said.field_value is not null
)

select
    -- keys
    customer_id,
    field,
    -- what stands
    {% set order_by = '(-trust, written_at, source_system, source_record_id)' -%}
    {{ greatest_by('field_value', order_by) }} as field_value,
    -- who said so
    {{ greatest_by('source_system', order_by) }} as source_system,
    {{ greatest_by('source_record_id', order_by) }} as source_record_id,
    {{ greatest_by('written_at', order_by) }} as written_at,
    -- how sure
    cast(count(*) as integer) as said_count,
    cast(count(distinct field_value) as integer) as value_count
from of_customers
group by customer_id, field
