{#-
    Whether the table of this model may be continued: it was made by the same SQL, settings and engine, from files that
    are still the same. The note that its last build left (`leave_note`) tells; a model without `meta.increment` leaves
    none and is not asked. dbt wants to know when it renders the SQL and again when it writes: the answer must not change
    in between, so it is kept in `graph`, which all models of one invocation share.
-#}
{%- macro can_continue() -%}
    {%- set increment = (config.get('meta') or {}).get('increment') -%}
    {%- if not execute or increment is none -%}{{ return(true) }}{%- endif -%}
    {%- if not keeps_notes() -%}{{ return(false) }}{%- endif -%}
    {%- set decided = graph.setdefault('increments_of_' ~ invocation_id, {}) -%}
    {%- if model.unique_id not in decided -%}
        {%- set note = read_note(this) -%}
        {%- if 'among' in increment -%}
            {%- set same = is_of_the_same_build(note) -%}
        {%- else -%}
            {%- set same = note.get('through', 0) > 0 and still_fits(note, increment) -%}
        {%- endif -%}
        {%- do decided.update({model.unique_id: same}) -%}
    {%- endif -%}
    {{ return(decided[model.unique_id]) }}
{%- endmacro -%}


{#- What a note says of how a table was made: by what code, through which load, of which files. -#}
{%- macro how_it_was_made(increment, through) -%}
    {{ return({
        'made_by': made_by(increment),
        'through': through,
        'landed': landed_files_hash(increment.landing_table, through),
    }) }}
{%- endmacro -%}


{#- Whether code, settings and landed files are still those that a note tells of. -#}
{%- macro still_fits(note, increment) -%}
    {{ return(
        note.made_by == made_by(increment)
        and note.landed == landed_files_hash(increment.landing_table, note.through)
    ) }}
{%- endmacro -%}


{#-
    A hash of all that decides how rows are made: SQL, settings, other files (`code`: word lists, Python), the engine, and
    the model that this one follows.
-#}
{%- macro made_by(increment) -%}
    {%- set parts = [code_hash(
        [model.original_file_path, 'macros/*.sql', 'macros/*/*.sql'] + increment.get('code', [])
    )] -%}
    {%- for name in increment.get('settings', []) -%}
        {%- do parts.append(name ~ '=' ~ tojson(setting_value(name), sort_keys=true)) -%}
    {%- endfor -%}
    {%- if 'follows' in increment -%}
        {%- do parts.append(read_note(ref(increment.follows)).get('made_by', '')) -%}
    {%- endif -%}
    {{ return(local_md5(parts | join('|'))) }}
{%- endmacro -%}


{#-
    A hash of the files of one table or several that the loads up to `through` brought: a landing zone only grows, until
    somebody starts it anew.
-#}
{%- macro landed_files_hash(landing_tables, through) -%}
    {%- set tables = [landing_tables] if landing_tables is string else landing_tables -%}
    {%- set query -%}
        select md5(coalesce(string_agg(files.stamp, '|' order by files.stamp), ''))
        from (
            {% for table in tables -%}
                {{ file_stamps('landing/' ~ table ~ '/*/*.parquet') }}
                {{ 'union all' if not loop.last }}
            {% endfor -%}
        ) as files
        -- A load with many rows comes in several files, <load_id>-<number>.parquet.
        inner join {{ source('landing', 'loads') }} as loads
            on loads.load_id in (files.stem, regexp_replace(files.stem, '-[0-9]+$', ''))
        where loads.load_sequence <= {{ through }}
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro -%}


{#- What the last build wrote beside the table; an empty mapping where there is no table or no note. -#}
{%- macro read_note(relation) -%}
    {%- set text = table_note(relation) -%}
    {#- Before it may stand that the table holds synthetic data. -#}
    {{ return(fromjson(text[text.find('{'):]) if text and text.endswith('}') and '{' in text else {}) }}
{%- endmacro -%}
