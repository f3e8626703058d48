{#-
    Whether this build of the identity stage may recompute only what changed since the last one. Every table of the stage
    must come from one build, made by the same code and settings from loads and promotions that are still there; else the
    first model of the stage says so in its note, and all the others are built anew with it (`is_of_the_same_build`).
-#}
{%- macro changes_can_continue() -%}
    {%- if not execute or flags.FULL_REFRESH or not keeps_notes() -%}{{ return(false) }}{%- endif -%}
    {%- set decided = graph.setdefault('increments_of_' ~ invocation_id, {}) -%}
    {%- if model.unique_id not in decided -%}
        {%- set note = read_note(this) -%}
        {%- set same = namespace(build=note.get('generation') is not none) -%}
        {%- for node in graph.nodes.values() -%}
            {%- if same.build and 'among' in (node.config.get('meta') or {}).get('increment', {}) -%}
                {%- set same.build = read_note(beside(this, node.name)).get('generation') == note.generation -%}
            {%- endif -%}
        {%- endfor -%}
        {%- set same = (
            same.build
            and still_fits(note, config.get('meta').increment)
            and note.assumed_until == assumed_until()
            and note.promoted_rows == promoted_rows(note.promotions)
        ) -%}
        {#- The note itself is gone once the table was written anew. -#}
        {%- do decided.update({model.unique_id: same, 'last_build': note}) -%}
    {%- endif -%}
    {{ return(decided[model.unique_id]) }}
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
            'follows': graph['increments_of_' ~ invocation_id].last_build.generation if continues else none,
            'since': graph['increments_of_' ~ invocation_id].last_build.through if continues else 0,
            'assumed_until': assumed_until(),
            'promotions': promotions | int,
            'promoted_rows': promoted_rows(promotions),
        }) -%}
        {{ write_table_note(this, tojson(note)) }}
    {%- endif -%}
{%- endmacro -%}


{#- What the stage's first model noted when it was last built. -#}
{%- macro note_of_the_stage() -%}
    {{ return(read_note(beside(this, 'int_identity__changed_records'))) }}
{%- endmacro -%}


{#- For the post-hook of the tables that continue: with which build of the stage they were made. -#}
{%- macro note_build() -%}
    {%- if execute and keeps_notes() and 'among' in (config.get('meta') or {}).get('increment', {}) -%}
        {%- set changes = note_of_the_stage() -%}
        {{ write_table_note(this, tojson({'generation': changes.get('generation')})) }}
    {%- endif -%}
{%- endmacro -%}


{#- Whether a table of the stage was built with the first model's last build or the one before, which that one follows. -#}
{%- macro is_of_the_same_build(note) -%}
    {%- set changes = note_of_the_stage() -%}
    {{ return(
        changes.get('follows') is not none
        and note.get('generation') in (changes.generation, changes.follows)
    ) }}
{%- endmacro -%}


{#- For the models that say what is touched: whether this build is an increment, as the stage's first model has noted. -#}
{%- macro changes_continue() -%}
    {%- if not execute -%}{{ return(false) }}{%- endif -%}
    {{ return(note_of_the_stage().get('follows') is not none) }}
{%- endmacro -%}


{#- The loads that this build of the stage is the first to see, as a list of literals. -#}
{%- macro new_loads_of_the_stage() -%}
    {{ return(new_loads(note_of_the_stage().get('since', 0))) }}
{%- endmacro -%}


{#-
    A table of the same schema as the last build left it: not a ref, because the model that makes it comes later and would
    close a circle.
-#}
{%- macro beside(relation, name) -%}
    {{ return(api.Relation.create(database=relation.database, schema=relation.schema, identifier=name)) }}
{%- endmacro -%}


{#- In an increment, whether the value of `column` is among those of `model`'s column `of`; in a full build, true. -#}
{%- macro is_among(model_name, column, of=none) -%}
    {%- set relation = ref(model_name) -%}
    {%- if is_incremental() -%}
        {{ column }} in (select changes.{{ of or column.split('.')[-1] }} from {{ relation }} as changes)
    {%- else -%}
        true
    {%- endif -%}
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
