{#-
    What ties a record to others, by source: which column of which model is an identifier of which type. A device is an
    identifier of everybody who logged in on it; an order, of the login that placed it on the web and of whom the till
    wrote down.
-#}
{%- set of_orders = {'loyalty_id': 'loyalty_id', 'login': 'user_id'} -%}
{%- if setting_value('identity.one_customer_has.brands') is not none -%}
    {%- do of_orders.update({'brand': 'brand'}) -%}
{%- endif -%}
{%- set carriers = [
    ('loyalty_members', 'stg_loyalty__members', 'loyalty_id', {'loyalty_id': 'loyalty_id'}, 'occurred_at'),
    ('orders', 'stg_shop__orders', 'buyer', of_orders, 'ordered_at'),
    ('campaign_recipients', 'stg_campaigns__recipients', 'loyalty_id', {'loyalty_id': 'loyalty_id'}, 'known_at'),
    ('coupon_redemptions', 'stg_campaigns__coupon_redemptions', 'loyalty_id', {'loyalty_id': 'loyalty_id'}, 'known_at'),
    ('crm_contacts', 'stg_crm__contacts', 'contact_id', {
        'loyalty_id': 'loyalty_id', 'login': 'user_id', 'email': 'email_key', 'phone': 'phone',
    }, 'valid_from'),
    ('emails', 'stg_email__events', 'email', {'email': 'email_key', 'loyalty_id': 'loyalty_id'}, 'occurred_at'),
    ('emails', 'stg_service__tickets', 'email', {'email': 'email_key'}, 'opened_at'),
    ('emails', 'stg_service__survey_answers', 'email', {'email': 'email_key'}, 'answered_at'),
] -%}

with records as (
    select * from {{ ref('int_identity__source_records') }}
    where
        set_aside_reason is null
        and {{ is_among('int_identity__changed_records', 'source_record_key') }}
),

identifications as (
    select * from {{ ref('stg_web__identifications') }}
    where
        {{ is_among('int_identity__changed_records', 'coalesce(user_id, anonymous_id)', 'source_record_id') }}
        or {{ is_among('int_identity__changed_records', 'anonymous_id', 'source_record_id') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
    where
        buyer is not null
        and {{ is_among('int_identity__changed_records', 'buyer', 'source_record_id') }}
),

-- An address is written in many rows and read once.
written_addresses as (
    select email from identifications
    where email is not null
    group by email
    union
    select email from orders
    where email is not null
    group by email
),

-- Grouped, or the engine would carry the condition below, and with it the reading of the address, down here many times.
plain_addresses as (
    select
        email,
        max({{ normalize_email('email') }}) as plain_email
    from written_addresses
    group by email
),

addresses as (
    select
        email,
        {{ email_key('plain_email') }} as email_key
    from plain_addresses
    where {{ is_email('plain_email') }}
),

placed_on_the_web as (
    select
        anonymous_id,
        user_id,
        order_id,
        min(event_at) as seen_at,
        min(received_at) as known_at
    from {{ ref('base_web__events') }}
    where
        order_id is not null
        and reject_reason is null
    group by anonymous_id, user_id, order_id
),

carried as (
    {% for source_system, model, source_record_id, identifiers, seen_at in carriers %}
        select
            '{{ source_system }}' as source_system,
            {{ source_record_id }} as source_record_id,
            unnest([
                '{{ identifiers | join("', '") }}'
            ]) as identifier_type,
            unnest([
                {{ identifiers.values() | join(', ') }}
            ]) as identifier_value,
            {{ seen_at }} as seen_at,
            known_at
        from {{ ref(model) }}
        where
            {{ source_record_id }} is not null
            and {{ is_among('int_identity__changed_records', source_record_id, 'source_record_id') }}
        union all
    {% endfor %}
    select
        'orders' as source_system,
        orders.buyer as source_record_id,
        'email' as identifier_type,
        addresses.email_key as identifier_value,
        orders.ordered_at as seen_at,
        orders.known_at
    from orders
    inner join addresses on orders.email = addresses.email
    union all
    select
        'orders' as source_system,
        orders.buyer as source_record_id,
        'order_id' as identifier_type,
        orders.order_id as identifier_value,
        orders.ordered_at as seen_at,
        orders.known_at
    from orders
    inner join placed_on_the_web on orders.order_id = placed_on_the_web.order_id
    union all
    select
        case when user_id is not null then 'web_users' else 'web_visitors' end as source_system,
        coalesce(user_id, anonymous_id) as source_record_id,
        'order_id' as identifier_type,
        order_id as identifier_value,
        seen_at,
        known_at
    from placed_on_the_web
    union all
    select
        'web_users' as source_system,
        user_id as source_record_id,
        unnest(['login', 'device']) as identifier_type,
        unnest([user_id, anonymous_id]) as identifier_value,
        first_seen_at as seen_at,
        first_known_at as known_at
    from identifications
    where user_id is not null
    union all
    select
        'web_visitors' as source_system,
        anonymous_id as source_record_id,
        'device' as identifier_type,
        anonymous_id as identifier_value,
        first_seen_at as seen_at,
        first_known_at as known_at
    from identifications
    union all
    -- The address is the login's where there is one: a device may be several people's.
    select
        case when identifications.user_id is not null then 'web_users' else 'web_visitors' end as source_system,
        coalesce(identifications.user_id, identifications.anonymous_id) as source_record_id,
        'email' as identifier_type,
        addresses.email_key as identifier_value,
        identifications.first_seen_at as seen_at,
        identifications.first_known_at as known_at
    from identifications
    inner join addresses on identifications.email = addresses.email
),

distinct_carried as (
    select
        source_system,
        source_record_id,
        identifier_type,
        identifier_value,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at,
        min(known_at) as known_at
    from carried
    where identifier_value is not null
    group by source_system, source_record_id, identifier_type, identifier_value
),

-- Under which name an identifier was written: the newest that came with it.
written_names as (
    select
        -- joined by equality alone: with a condition on one side, DuckDB would compare every row with every other
        'crm_contacts' as source_system,
        contact_id as source_record_id,
        identifier_type,
        identifier_value,
        {{ greatest_by('given_name', '(valid_from, given_name, last_name)') }} as given_name,
        {{ greatest_by('last_name', '(valid_from, given_name, last_name)') }} as last_name
    from (
        select
            contact_id,
            'email' as identifier_type,
            email_key as identifier_value,
            valid_from,
            given_name,
            last_name
        from {{ ref('stg_crm__contacts') }}
        where
            email_key is not null
            and given_name is not null
            and {{ is_among('int_identity__changed_records', 'contact_id', 'source_record_id') }}
        union all
        select
            contact_id,
            'phone' as identifier_type,
            phone as identifier_value,
            valid_from,
            given_name,
            last_name
        from {{ ref('stg_crm__contacts') }}
        where
            phone is not null
            and given_name is not null
            and {{ is_among('int_identity__changed_records', 'contact_id', 'source_record_id') }}
    ) as versions
    group by contact_id, identifier_type, identifier_value
)

select
    -- keys
    records.record_number,
    records.source_record_key,
    distinct_carried.source_system,
    distinct_carried.identifier_type,
    distinct_carried.identifier_value,
    -- whose name stood beside it
    written_names.given_name,
    written_names.last_name,
    -- when
    records.first_load_sequence,
    distinct_carried.first_seen_at,
    distinct_carried.last_seen_at,
    -- its own name is known since the record is, also where a newer version of it stands
    case
        when records.source_record_id = distinct_carried.identifier_value then records.first_known_at
        when split_part(records.source_record_id, '|', 1) = 'card:' || distinct_carried.identifier_value
            then records.first_known_at
        when split_part(records.source_record_id, '|', 1) = 'login:' || distinct_carried.identifier_value
            then records.first_known_at
        else distinct_carried.known_at
    end as known_at
from distinct_carried
inner join records
    on
        distinct_carried.source_system = records.source_system
        and distinct_carried.source_record_id = records.source_record_id
left join written_names
    on
        distinct_carried.source_system = written_names.source_system
        and distinct_carried.source_record_id = written_names.source_record_id
        and distinct_carried.identifier_type = written_names.identifier_type
        and distinct_carried.identifier_value = written_names.identifier_value
-- A text that only fills a field (n/a, -, blanks) is no card and no login; addresses and phones were read by staging.
-- One that lost letters on its way (U+FFFD stands for what could not be read) may have been two different ones.
where
    {{ written_text('distinct_carried.identifier_value') }} is not null
    and distinct_carried.identifier_value not like '%' || chr(65533) || '%'
