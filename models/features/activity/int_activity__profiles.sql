-- What customers told of themselves, and when: a row for each record on the day it was first seen, and one for
-- each version of a card or contact. The latest thing told counts; what a later version leaves out, an earlier one
-- still says.

{%- set attributes = demographics() + ['region'] %}

-- noqa: disable=LT02
with records as (
    select * from {{ ref('int_identity__source_records') }}
    where first_seen_at is not null
),

members as (
    select * from {{ ref('stg_loyalty__member_versions') }}
),

contacts as (
    select * from {{ ref('stg_crm__contacts') }}
),

told as (
    select
        {{ record_hash('source_system', 'source_record_id') }} as record_hash,
        first_seen_at as told_at,
        first_known_at as known_at
        {%- for attribute in attributes %},
        cast(null as varchar) as {{ attribute }}
        {%- endfor %}
    from records
    union all
    select
        {{ record_hash("'loyalty_members'", 'loyalty_id') }} as record_hash,
        valid_from as told_at,
        known_at
        {%- for attribute in attributes %},
        {{ 'null' if attribute == 'region' else attribute }} as {{ attribute }}
        {%- endfor %}
    from members
    union all
    select
        {{ record_hash("'crm_contacts'", 'contact_id') }} as record_hash,
        valid_from as told_at,
        known_at
        {%- for attribute in attributes %},
        {{ attribute if attribute == 'region' else 'null' }} as {{ attribute }}
        {%- endfor %}
    from contacts
)

select
    -- keys
    record_hash,
    -- dates
    {{ days_of_telling() }},
    -- what was told, each with its time
    {% for attribute in attributes -%}
        {{ as_told('told_at', 'known_at', attribute) }} as {{ attribute }}_as_told{{ ',' if not loop.last }}
    {% endfor -%}
from told
