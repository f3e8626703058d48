{#-
    Each source that names people: its records, the identifier they carry, and when the record was seen. All versions
    that ever landed are read, not only those that stand: a record that is landed again keeps its first load, and with
    it the customer keeps the id.
-#}
{%- set record_sources = {
    'loyalty_members': ('base_loyalty__members', 'occurred_at'),
    'orders': ('base_shop__orders', 'ordered_at'),
    'campaign_recipients': ('base_campaigns__recipients', 'known_at'),
    'coupon_redemptions': ('base_campaigns__coupon_redemptions', 'known_at'),
} -%}

with loads as (
    select * from {{ ref('stg_landing__loads') }}
),

seen as (
    {% for source_system, (model, seen_at) in record_sources.items() %}
        select
            '{{ source_system }}' as source_system,
            loyalty_id as source_record_id,
            load_id,
            {{ seen_at }} as seen_at,
            reject_reason is null as stands
        from {{ ref(model) }}
        where loyalty_id is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    -- keys
    {{ stable_hash(['seen.source_system', 'seen.source_record_id']) }} as source_record_key,
    seen.source_system,
    seen.source_record_id,
    -- when
    min(loads.load_sequence) as first_load_sequence,
    min(case when seen.stands then seen.seen_at end) as first_seen_at,
    max(case when seen.stands then seen.seen_at end) as last_seen_at
from seen
inner join loads on seen.load_id = loads.load_id
group by seen.source_system, seen.source_record_id
having max(case when seen.stands then 1 else 0 end) = 1
