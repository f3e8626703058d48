{#-
    Each source that names people: its records, and when they were seen. All versions that ever landed are read, not only
    those that stand: a record that is landed again keeps its first load and its first arrival, and with them the customer
    keeps its id and its history. A visitor who never said a name is nobody's record: nothing can tie it to anyone.
-#}
{%- set record_sources = [
    ('loyalty_members', 'base_loyalty__members', 'loyalty_id', 'occurred_at'),
    ('orders', 'base_shop__orders', buyer(), 'ordered_at'),
    ('campaign_recipients', 'base_campaigns__recipients', 'loyalty_id', 'known_at'),
    ('coupon_redemptions', 'base_campaigns__coupon_redemptions', 'loyalty_id', 'known_at'),
    ('crm_contacts', 'base_crm__contacts', 'contact_id', 'occurred_at'),
] -%}
{%- set address_sources = {
    'stg_email__events': 'occurred_at',
    'stg_service__tickets': 'opened_at',
    'stg_service__survey_answers': 'answered_at',
} -%}

with loads as (
    select * from {{ ref('stg_landing__loads') }}
),

of_loads as (
    {% for source_system, model, source_record_id, seen_at in record_sources %}
        select
            '{{ source_system }}' as source_system,
            {{ source_record_id }} as source_record_id,
            load_id,
            {{ seen_at }} as seen_at,
            known_at,
            reject_reason is null as stands
        from {{ ref(model) }}
        union all
    {% endfor %}
    {% for model, seen_at in address_sources.items() %}
        select
            'emails' as source_system,
            email as source_record_id,
            load_id,
            {{ seen_at }} as seen_at,
            known_at,
            true as stands
        from {{ ref(model) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Rows without a name first: most rows of the largest source have one of few.
seen as (
    select
        of_loads.source_system,
        of_loads.source_record_id,
        min(loads.load_sequence) as first_load_sequence,
        min(case when of_loads.stands then of_loads.seen_at end) as first_seen_at,
        max(case when of_loads.stands then of_loads.seen_at end) as last_seen_at,
        min(of_loads.known_at) as first_known_at
    from of_loads
    inner join loads on of_loads.load_id = loads.load_id
    where of_loads.source_record_id is not null
    group by of_loads.source_system, of_loads.source_record_id
    having max(case when of_loads.stands then 1 else 0 end) = 1
    union all
    select
        'web_users' as source_system,
        user_id as source_record_id,
        min(first_load_sequence) as first_load_sequence,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_known_at) as first_known_at
    from {{ ref('stg_web__identifications') }}
    where user_id is not null
    group by user_id
    union all
    select
        'web_visitors' as source_system,
        anonymous_id as source_record_id,
        min(first_load_sequence) as first_load_sequence,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at,
        min(first_known_at) as first_known_at
    from {{ ref('stg_web__identifications') }}
    group by anonymous_id
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
)

select
    -- keys
    {{ stable_hash(['seen.source_system', 'seen.source_record_id']) }} as source_record_key,
    row_number() over (
        order by seen.first_load_sequence, seen.source_system, seen.source_record_id
    ) as record_number,
    seen.source_system,
    seen.source_record_id,
    -- whether it is a person's
    set_aside.reason as set_aside_reason,
    -- when
    seen.first_load_sequence,
    seen.first_seen_at,
    seen.last_seen_at,
    seen.first_known_at
from seen
left join set_aside
    on
        seen.source_system = set_aside.source_system
        and seen.source_record_id = set_aside.source_record_id
