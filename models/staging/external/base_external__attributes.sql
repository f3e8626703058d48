with landed as (
    select * from {{ visible_rows('external_attributes') }}
),

judged as (
    select
        *,
        case
            when provider is null or attribute is null then 'key is missing'
            when source_record_id is null then 'source_record_id is missing'
            when
                coalesce(source_system, '') not in ('crm_contacts', 'loyalty_members', 'web_users', 'web_visitors')
                then 'source_system is unknown'
            when occurred_at is null then 'occurred_at is missing'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
        end as problem
    from landed
),

{{ versions_of('judged', keys=['provider', 'attribute', 'source_system', 'source_record_id', 'occurred_at'], content=[
    'attribute_value',
]) }}

select
    -- keys
    provider,
    attribute,
    source_system,
    source_record_id,
    load_id,
    -- what it is
    attribute_value,
    -- times
    occurred_at,
    content_known_at as known_at,
    -- verdict
    {{ reject_reason() }} as reject_reason
from versions
