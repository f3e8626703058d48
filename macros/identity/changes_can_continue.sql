{#-
    Whether this build of the identity stage may recompute only what changed since the last one. Every table of the stage
    must come from one build, made by the same code and settings from loads and promotions that are still there; else the
    first model of the stage says so in its note, and all the others are built anew with it (`is_of_the_same_build`).
-#}
{%- macro changes_can_continue() -%}
    {%- set note = note_of_the_last_build() -%}
    {{ return(
        all_are_of_one_build(note)
        and still_fits(note, config.get('meta').increment)
        and note.assumed_until == assumed_until()
        and note.promoted_rows == promoted_rows(note.promotions)
    ) }}
{%- endmacro -%}


{#- For the post-hook of the stage's first model: what the next build asks for, and what the others of this one do. -#}
{%- macro note_changes() -%}
    {%- if execute and keeps_notes() -%}
        {%- set increment = config.get('meta').increment -%}
        {%- set continues = changes_can_continue() -%}
        {%- set through = run_query('select coalesce(max(load_sequence), 0) from ' ~ source('landing', 'loads')).rows[0][0] -%}
        {%- set promotions = run_query(
            'select coalesce(max(promotion_number), 0) from ' ~ source('ledger', 'identity_memberships')
        ).rows[0][0] -%}
        {%- set note = how_it_was_made(increment, through | int) -%}
        {%- do note.update({
            'generation': invocation_id,
            'follows': note_of_the_last_build().generation if continues else none,
            'since': note_of_the_last_build().through if continues else 0,
            'assumed_until': assumed_until(),
            'promotions': promotions | int,
            'promoted_rows': promoted_rows(promotions),
        }) -%}
        {{ write_table_note(this, tojson(note)) }}
    {%- endif -%}
{%- endmacro -%}


{#- The loads that this build of the stage is the first to see, as a list of literals. -#}
{%- macro new_loads_of_the_stage() -%}
    {{ return(new_loads(note_of_the_stage().get('since', 0))) }}
{%- endmacro -%}


{#- Until which day known times are assumed: the index marks its history up to then. -#}
{%- macro assumed_until() -%}
    {{ return(run_query(
        'select cast(max(load_date) as varchar) from ' ~ source('landing', 'loads') ~ ' where known_at_is_assumed'
    ).rows[0][0]) }}
{%- endmacro -%}


{#- How many memberships promotions up to a number have recorded: less than before, and the ledger was cut. -#}
{%- macro promoted_rows(promotions) -%}
    {{ return(run_query(
        'select count(*) from ' ~ source('ledger', 'identity_memberships') ~ ' where promotion_number <= ' ~ promotions
    ).rows[0][0] | int) }}
{%- endmacro -%}
