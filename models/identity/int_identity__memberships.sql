{#-
    To whom each record belonged, from when on, as it was believed at the time. What promoted runs believed stands in the
    ledger and is not rewritten; today's rules tell what came after. Where they tell another story of what the ledger
    already covers (a shared address was found out, somebody decided), the record changes hands now and not in the past.
-#}

with clusters as (
    select * from {{ ref('int_identity__clusters') }}
),

records as (
    select * from {{ ref('int_identity__source_records') }}
    where {{ is_among('int_identity__touched_memberships', 'source_record_key') }}
),

history as (
    select
        records.source_record_key,
        records.source_system,
        records.source_record_id,
        {{ customer_id_of('anchors.source_record_key') }} as customer_id,
        coalesce(history.match_rule, 'anchor') as match_rule,
        coalesce(history.match_confidence, 1.0) as match_confidence,
        history.valid_from
    from {{ ref('int_identity__history') }} as history
    inner join clusters on history.record_number = clusters.record_number
    inner join records on history.record_number = records.record_number
    inner join {{ ref('int_identity__source_records') }} as anchors on history.anchor_number = anchors.record_number
),

ledger as (
    select * from {{ source('ledger', 'identity_memberships') }}
    where {{ is_among('int_identity__touched_memberships', 'source_record_key') }}
),

assumed_until as (
    select max(load_date) + 1 as assumed_until from {{ ref('stg_landing__loads') }}
    where known_at_is_assumed
),

covered as (
    select max(known_through) as known_through from {{ source('ledger', 'identity_memberships') }}
),

-- Now: the newest arrival or decision. Nothing calls the clock.
instants as (
    select
        covered.known_through,
        greatest(newest.last_known_at, covered.known_through) as known_now
    from covered
    cross join {{ ref('int_identity__known_through') }} as newest
),

last_recorded as (
    select
        source_record_key,
        {{ greatest_by('customer_id', '(promotion_number, valid_from)') }} as customer_id,
        any_value(source_system) as source_system,
        any_value(source_record_id) as source_record_id
    from ledger
    group by source_record_key
),

-- What today's rules say of the time that the ledger covers, and of now.
told as (
    select
        history.source_record_key,
        -- before the first valid_from of all: nobody's
        {{ greatest_by('case when history.valid_from <= instants.known_through then history.customer_id end',
            'case when history.valid_from <= instants.known_through then history.valid_from end') }} as customer_id_then,
        {{ greatest_by('history.customer_id', 'history.valid_from') }} as customer_id,
        {{ greatest_by('history.match_rule', 'history.valid_from') }} as match_rule,
        {{ greatest_by('history.match_confidence', 'history.valid_from') }} as match_confidence
    from history
    cross join instants
    group by history.source_record_key
),

corrections as (
    select
        last_recorded.source_record_key,
        last_recorded.source_system,
        last_recorded.source_record_id,
        told.customer_id,
        case when told.source_record_key is null then 'none any more' else told.match_rule end as match_rule,
        told.match_confidence,
        instants.known_now as valid_from
    from last_recorded
    left join told on last_recorded.source_record_key = told.source_record_key
    cross join instants
    where
        told.customer_id_then is distinct from last_recorded.customer_id
        and told.customer_id is distinct from last_recorded.customer_id
),

-- What came after the ledger. A record that was believed to be a customer's is that customer's until something changes.
later as (
    select
        history.*,
        last_recorded.source_record_key is null as is_unrecorded,
        coalesce(
            lag(history.customer_id) over (partition by history.source_record_key order by history.valid_from),
            last_recorded.customer_id
        ) as customer_id_before
    from history
    left join last_recorded on history.source_record_key = last_recorded.source_record_key
    left join corrections on history.source_record_key = corrections.source_record_key
    cross join instants
    where
        last_recorded.source_record_key is null
        or (history.valid_from > instants.known_through and corrections.source_record_key is null)
),

additions as (
    select
        source_record_key,
        source_system,
        source_record_id,
        customer_id,
        match_rule,
        match_confidence,
        valid_from
    from later
    where
        is_unrecorded
        or customer_id is distinct from customer_id_before
),

every_row as (
    select
        source_record_key,
        source_system,
        source_record_id,
        customer_id,
        match_rule,
        match_confidence,
        valid_from,
        is_assumed,
        promotion_number
    from ledger
    union all
    select
        new_rows.source_record_key,
        new_rows.source_system,
        new_rows.source_record_id,
        new_rows.customer_id,
        new_rows.match_rule,
        new_rows.match_confidence,
        new_rows.valid_from,
        coalesce(new_rows.valid_from < assumed_until.assumed_until, false) as is_assumed,
        cast(null as bigint) as promotion_number
    from (
        select * from corrections
        union all
        select * from additions
    ) as new_rows
    cross join assumed_until
)

select
    -- keys
    source_record_key,
    source_system,
    source_record_id,
    customer_id,
    -- why
    match_rule,
    match_confidence,
    -- when
    valid_from,
    lead(valid_from) over changes as valid_to,
    is_assumed,
    -- which promotion recorded it; null = none yet
    promotion_number
from every_row
window changes as (
    partition by source_record_key
    order by valid_from asc, promotion_number asc nulls last
)
