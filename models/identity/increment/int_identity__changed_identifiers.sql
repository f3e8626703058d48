-- Identifiers that changed records carry, or carried at the last build: whether they are shared is weighed again.

with changed as (
    select * from {{ ref('int_identity__changed_records') }}
),

carried_before as (
    select {{ unnest_list('identifiers_before') }} as identifier
    from changed
),

carried as (
    select
        identifier_type,
        identifier_value
    from {{ ref('int_identity__identifiers') }}
    where source_record_key in (select changed.source_record_key from changed)
    union
    select
        split_part(identifier, ':', 1) as identifier_type,
        substr(identifier, position(':' in identifier) + 1) as identifier_value
    from carried_before
)

select
    identifier_type,
    identifier_value
from carried
-- of a brand are all who bought of it; that ties nobody to anybody
where identifier_type <> 'brand'
