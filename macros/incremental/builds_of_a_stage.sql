{#-
    A stage that continues what stands has a first model, which notes with which build (`generation`) it was made and which
    one that `follows`; none follows where everything is made anew. The other tables of the stage that continue
    (`meta.increment.among`) note the build, too.
-#}
{%- macro first_model_of_the_stage() -%}
    {{ return({
        'identity': 'int_identity__changed_records',
        'features': 'int_activity__fingerprints',
    }[this.schema]) }}
{%- endmacro -%}


{#-
    For the first model: what it noted at the last build, empty where nothing may be continued. The note is gone once the
    table was written anew, and is asked for after that, so it is kept in `graph`, which all models of an invocation share.
-#}
{%- macro note_of_the_last_build() -%}
    {%- if not execute or flags.FULL_REFRESH or not keeps_notes() -%}{{ return({}) }}{%- endif -%}
    {%- set notes = graph.setdefault('last_builds_of_' ~ invocation_id, {}) -%}
    {%- if model.unique_id not in notes -%}
        {%- do notes.update({model.unique_id: read_note(this)}) -%}
    {%- endif -%}
    {{ return(notes[model.unique_id]) }}
{%- endmacro -%}


{#- For the first model: whether all tables that continue stand as one build left them. -#}
{%- macro all_are_of_one_build(note) -%}
    {%- if note.get('generation') is none -%}{{ return(false) }}{%- endif -%}
    {%- set same = namespace(build=true) -%}
    {%- for node in graph.nodes.values() if node.schema == this.schema -%}
        {%- if same.build and 'among' in (node.config.get('meta') or {}).get('increment', {}) -%}
            {%- set same.build = read_note(beside(this, node.name)).get('generation') == note.generation -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(same.build) }}
{%- endmacro -%}


{#- What the stage's first model noted when it was last built. -#}
{%- macro note_of_the_stage() -%}
    {{ return(read_note(beside(this, first_model_of_the_stage()))) }}
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
