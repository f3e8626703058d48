-- Which records are one customer: components, and the parts of those that could not be one.

with components as (
    select * from {{ ref('int_identity__components') }}
),

records as (
    select * from {{ ref('int_identity__source_records') }}
),

parts as (
    select * from {{ ref('int_identity__parts') }}
),

suspects as (
    select * from {{ ref('int_identity__suspects') }}
)

select
    -- keys
    records.record_number,
    records.source_record_key,
    coalesce(parts.part_number, components.component_number) as cluster_number,
    components.component_number,
    -- why it was looked at
    suspects.reason as suspect_reason
from records
inner join components on records.record_number = components.record_number
left join parts on records.record_number = parts.record_number
left join suspects on components.component_number = suspects.component_number
where
    records.set_aside_reason is null
    and {{ is_among('int_identity__touched_records', 'records.record_number') }}
