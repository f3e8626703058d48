{#-
    Each source that names people: its records, and when they were seen. All rows that ever landed are read, not only those
    that stand: a record that is landed again keeps its first load and its first arrival, and with them the customer keeps
    its id and its history. A visitor who never said a name is nobody's record: nothing can tie it to anyone.
-#}
{%- set is_increment = is_incremental() -%}
{%- set web_records = {'web_users': 'user_id', 'web_visitors': 'anonymous_id'} -%}
{%- set standing_rows = [
    ('loyalty_members', 'stg_loyalty__members', 'loyalty_id', 'occurred_at'),
    ('orders', 'stg_shop__orders', 'buyer', 'ordered_at'),
    ('campaign_recipients', 'stg_campaigns__recipients', 'loyalty_id', 'known_at'),
    ('coupon_redemptions', 'stg_campaigns__coupon_redemptions', 'loyalty_id', 'known_at'),
    ('crm_contacts', 'stg_crm__contacts', 'contact_id', 'valid_from'),
    ('emails', 'stg_email__events', 'email', 'occurred_at'),
    ('emails', 'stg_service__tickets', 'email', 'opened_at'),
    ('emails', 'stg_service__survey_answers', 'email', 'answered_at'),
] -%}

-- noqa: disable=LT02
with landed as (
    select
        source_system,
        source_record_id,
        load_sequence as first_load_sequence,
        known_at as first_known_at
    from ({{ landed_records(new_loads_of_the_stage() if is_increment else none) }}) as landed_records
    where source_record_id is not null
    {% for source_system, record_id in web_records.items() -%}
        union all
        select
            '{{ source_system }}' as source_system,
            {{ record_id }} as source_record_id,
            first_load_sequence,
            first_known_at
        from {{ ref('stg_web__identifications') }}
        where
            {{ record_id }} is not null
            and {{ is_among('int_identity__changed_records', record_id, 'source_record_id') }}
    {% endfor -%}
    {% if is_increment -%}
        union all
        select
            source_system,
            source_record_id,
            first_load_sequence,
            first_known_at
        from {{ this }}
        where {{ is_among('int_identity__changed_records', 'source_record_key') }}
    {%- endif %}
),

arrived as (
    select
        {{ stable_hash(['source_system', 'source_record_id']) }} as source_record_key,
        source_system,
        source_record_id,
        min(first_load_sequence) as first_load_sequence,
        min(first_known_at) as first_known_at
    from landed
    -- the text of an id may be that of a record of another system
    where
        {{ is_among(
            'int_identity__changed_records',
            stable_hash(['source_system', 'source_record_id']),
            'source_record_key'
        ) }}
    group by source_system, source_record_id
),

standing as (
    {% for source_system, model, record_id, seen_at in standing_rows -%}
        select
            '{{ source_system }}' as source_system,
            {{ record_id }} as source_record_id,
            {{ seen_at }} as first_seen_at,
            {{ seen_at }} as last_seen_at
        from {{ ref(model) }}
        where {{ is_among('int_identity__changed_records', record_id, 'source_record_id') }}
        union all
    {% endfor -%}
    {% for source_system, record_id in web_records.items() -%}
        select
            '{{ source_system }}' as source_system,
            {{ record_id }} as source_record_id,
            first_seen_at,
            last_seen_at
        from {{ ref('stg_web__identifications') }}
        where {{ is_among('int_identity__changed_records', record_id, 'source_record_id') }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

seen as (
    select
        source_system,
        source_record_id,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at
    from standing
    group by source_system, source_record_id
),

set_aside as (
    select
        'web_visitors' as source_system,
        anonymous_id as source_record_id,
        'bot' as reason
    from {{ ref('stg_web__visitors') }}
    where is_bot
    union all
    select
        'crm_contacts' as source_system,
        contact_id as source_record_id,
        'test account' as reason
    from {{ ref('stg_crm__contacts') }}
    where is_test_account
    group by contact_id
),

{% if is_increment -%}
known as (
    select
        source_record_key,
        record_number
    from {{ this }}
    where {{ is_among('int_identity__changed_records', 'source_record_key') }}
),
{%- endif %}

numbered as (
    select
        arrived.source_record_key,
        {% if is_increment -%}
        -- those that are new come after all that are known
        coalesce(
            known.record_number,
            (select max(standing.record_number) from {{ this }} as standing) + row_number() over (
                partition by known.record_number is null
                order by arrived.first_load_sequence, arrived.source_system, arrived.source_record_id
            )
        ) as record_number
        {%- else -%}
        row_number() over (
            order by arrived.first_load_sequence, arrived.source_system, arrived.source_record_id
        ) as record_number
        {%- endif %}
    from arrived
    {% if is_increment -%}
    left join known on arrived.source_record_key = known.source_record_key
    {%- endif %}
)

select
    -- keys
    arrived.source_record_key,
    numbered.record_number,
    arrived.source_system,
    arrived.source_record_id,
    -- whether it is a person's
    case when seen.source_system is null then 'no row of it stands' else set_aside.reason end as set_aside_reason,
    -- when
    arrived.first_load_sequence,
    seen.first_seen_at,
    seen.last_seen_at,
    arrived.first_known_at
from arrived
inner join numbered on arrived.source_record_key = numbered.source_record_key
left join seen
    on
        arrived.source_system = seen.source_system
        and arrived.source_record_id = seen.source_record_id
left join set_aside
    on
        arrived.source_system = set_aside.source_system
        and arrived.source_record_id = set_aside.source_record_id
