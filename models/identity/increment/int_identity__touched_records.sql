{#-
    Which customers are put together anew: all records of every component, as the last build left it, of which one changed,
    carries an identifier that a changed one carries, or was matched or decided about otherwise than before. Between these
    records and the others there is no edge, neither before nor now: so what is computed of them alone is what a full
    build computes of them.
-#}
{%- set changed_records = ref('int_identity__changed_records') -%}
{%- set changed_identifiers = ref('int_identity__changed_identifiers') -%}
{%- set source_records, identifiers = ref('int_identity__source_records'), ref('int_identity__identifiers') -%}
{%- set matches, decisions = source('ml', 'identity_matches'), source('ledger', 'identity_decisions') -%}

{% if changes_continue() -%}
    with changed as (
        select * from {{ changed_records }}
    ),

    records as (
        select * from {{ source_records }}
    ),

    carriers as (
        select identifiers.record_number
        from {{ identifiers }} as identifiers
        inner join {{ changed_identifiers }} as changed_identifiers
            on
                identifiers.identifier_type = changed_identifiers.identifier_type
                and identifiers.identifier_value = changed_identifiers.identifier_value
    ),

    matches as (
        select
            left_record_key || '~' || right_record_key as evidence,
            match_probability
        from {{ matches }}
        where match_probability >= {{ setting('identity.linkage.min_probability') }}
    ),

    matched_before as (
        select
            evidence,
            match_confidence
        from {{ beside(this, 'int_identity__edges') }}
        where match_rule = 'probabilistic'
    ),

    matched_otherwise as (
        select coalesce(matches.evidence, matched_before.evidence) as evidence
        from matches
        full outer join matched_before on matches.evidence = matched_before.evidence
        where matches.match_probability is distinct from matched_before.match_confidence
    ),

    keys as (
        select source_record_key from changed
        union
        select split_part(evidence, '~', 1) as source_record_key from matched_otherwise
        union
        select split_part(evidence, '~', 2) as source_record_key from matched_otherwise
        {% for side in ['left', 'right'] -%}
            union
            -- decisions are few, and an undone one has left no other trace
            select {{ stable_hash([side ~ '_source_system', side ~ '_source_record_id']) }} as source_record_key
            from {{ decisions }}
        {% endfor %}
    ),

    first_touched as (
        select records.record_number
        from keys
        inner join records on keys.source_record_key = records.source_record_key
        union
        select record_number from carriers
    ),

    components_before as (
        select * from {{ beside(this, 'int_identity__components') }}
    ),

    touched_components as (
        select components_before.component_number
        from components_before
        inner join first_touched on components_before.record_number = first_touched.record_number
        group by components_before.component_number
    ),

    touched as (
        select record_number from first_touched
        union
        select components_before.record_number
        from components_before
        inner join touched_components on components_before.component_number = touched_components.component_number
    )

    select
        touched.record_number,
        records.source_record_key
    from touched
    inner join records on touched.record_number = records.record_number
{%- else -%}
    -- a full build puts all together anew
    select
        cast(null as bigint) as record_number,
        cast(null as varchar) as source_record_key
    where false
{%- endif %}
