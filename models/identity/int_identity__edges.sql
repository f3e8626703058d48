{#-
    What ties records together, by rule. A group of records that a rule ties has a star of edges around the one that was
    known first instead of every pair: n - 1 edges connect n records as well as n * n would, and each edge is known when
    its later record is.
-#}
{%- set rules = identity_rules() -%}

with identifiers as (
    select * from {{ ref('int_identity__identifiers') }}
    where {{ is_among('int_identity__touched_records', 'record_number') }}
),

shared as (
    select * from {{ ref('int_identity__shared_identifiers') }}
),

records as (
    select * from {{ ref('int_identity__source_records') }}
    where
        set_aside_reason is null
        and {{ is_among('int_identity__touched_records', 'record_number') }}
),

matches as (
    select * from {{ source('ml', 'identity_matches') }}
    where match_probability >= {{ setting('identity.linkage.min_probability') }}
),

decisions as (
    select * from {{ ref('int_identity__decisions') }}
    where verdict = 'same'
),

judged as (
    select
        identifiers.record_number,
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.given_name,
        identifiers.last_name,
        identifiers.known_at,
        shared.reason as shared_reason,
        coalesce(shared.is_told_by_name, false) as is_told_by_name
    from identifiers
    left join shared
        on
            identifiers.identifier_type = shared.identifier_type
            and identifiers.identifier_value = shared.identifier_value
),

grouped as (
    {% for rule in rules -%}
        select
            record_number,
            '{{ rule.name }}' as match_rule,
            {{ rule.confidence }} as match_confidence,
            {% if rule.needs == 'same name' -%}
                concat(identifier_type, ':', identifier_value, '|', given_name, ' ', last_name) as evidence,
            {%- else -%}
                identifier_type || ':' || identifier_value as evidence,
            {%- endif %}
            known_at
        from judged
        where
            identifier_type = '{{ rule.identifier_type }}'
            {% if rule.needs == 'same name' -%}
                and is_told_by_name
                and length(given_name) > 1
            {%- else -%}
                and shared_reason is null
            {%- endif %}
            {% if rule.needs == 'a name' -%}
                and given_name is not null
                and last_name is not null
            {%- endif %}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

centered as (
    select
        *,
        first_value(record_number) over known_first as center_number,
        first_value(known_at) over known_first as center_known_at
    from grouped
    window known_first as (
        partition by match_rule, evidence
        order by known_at, record_number
    )
)

select
    -- keys
    center_number as left_number,
    record_number as right_number,
    -- why
    match_rule,
    cast(match_confidence as double) as match_confidence,
    evidence,
    -- when
    center_known_at as left_known_at,
    known_at
from centered
where record_number <> center_number
union all
select
    left_records.record_number as left_number,
    right_records.record_number as right_number,
    'probabilistic' as match_rule,
    matches.match_probability as match_confidence,
    matches.left_record_key || '~' || matches.right_record_key as evidence,
    left_records.first_known_at as left_known_at,
    greatest(left_records.first_known_at, right_records.first_known_at) as known_at
from matches
inner join records as left_records on matches.left_record_key = left_records.source_record_key
inner join records as right_records on matches.right_record_key = right_records.source_record_key
union all
select
    left_records.record_number as left_number,
    right_records.record_number as right_number,
    'decided: same' as match_rule,
    cast(1.0 as double) as match_confidence,
    'decision:' || decisions.decision_id as evidence,
    decisions.decided_at as left_known_at,
    decisions.decided_at as known_at
from decisions
inner join records as left_records on decisions.left_record_key = left_records.source_record_key
inner join records as right_records on decisions.right_record_key = right_records.source_record_key
