with identifiers as (
    select * from {{ ref('int_identity__identifiers') }}
),

-- A star around the first record instead of every pair: n - 1 edges connect n records as well as n * n would.
centered as (
    select
        *,
        first_value(source_record_key) over (
            partition by identifier_type, identifier_value
            order by first_load_sequence, source_record_key
        ) as center_record_key
    from identifiers
)

select
    -- keys
    center_record_key as left_record_key,
    source_record_key as right_record_key,
    -- why
    'same loyalty id' as match_rule,
    cast(1.0 as double) as match_confidence,
    identifier_type || ':' || identifier_value as evidence
from centered
where source_record_key <> center_record_key
