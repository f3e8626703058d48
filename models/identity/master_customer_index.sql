with records as (
    select * from {{ ref('int_identity__source_records') }}
),

components as (
    select * from {{ ref('int_identity__components') }}
),

edges as (
    select * from {{ ref('int_identity__edges') }}
),

-- The anchor is the first-known record of a component, by load and then by key, never by event time: a late arrival
-- with an early event must not rename a customer.
anchored as (
    select
        records.*,
        first_value(records.source_record_key) over (
            partition by components.component_number
            order by records.first_load_sequence, records.source_system, records.source_record_id
        ) as anchor_record_key
    from records
    inner join components on records.source_record_key = components.source_record_key
),

-- Which rule holds a record to its component: the strongest edge that touches it.
touching as (
    select
        left_record_key as source_record_key,
        match_rule,
        match_confidence
    from edges
    union all
    select
        right_record_key as source_record_key,
        match_rule,
        match_confidence
    from edges
),

strongest as (
    select
        source_record_key,
        match_rule,
        match_confidence,
        row_number() over (
            partition by source_record_key
            order by match_confidence desc, match_rule asc
        ) as edge_rank
    from touching
)

select
    -- keys
    anchored.source_system,
    anchored.source_record_id,
    'c_' || anchored.anchor_record_key as customer_id,
    -- why
    case
        when anchored.source_record_key = anchored.anchor_record_key then 'anchor'
        else strongest.match_rule
    end as match_rule,
    case
        when anchored.source_record_key = anchored.anchor_record_key then cast(1.0 as double)
        else strongest.match_confidence
    end as match_confidence,
    -- when
    anchored.first_seen_at as valid_from,
    cast(null as timestamp) as valid_to
from anchored
left join strongest
    on
        anchored.source_record_key = strongest.source_record_key
        and strongest.edge_rank = 1
