{#-
    Whether the table of this model may be continued. The note that its last build left (`leave_note`) says how it was
    made and from which files; a model without `meta.increment` leaves none and is not asked.
-#}
{%- macro can_continue() -%}
    {%- set increment = (config.get('meta') or {}).get('increment') -%}
    {%- if not execute or increment is none -%}{{ return(true) }}{%- endif -%}
    {%- set note = read_note(this) -%}
    {{ return(
        note.get('through', 0) > 0
        and note.made_by == made_by(increment)
        and note.landed == landed_files_hash(increment.landing_table, note.through)
    ) }}
{%- endmacro -%}


{#- A hash of all that decides how rows are made: SQL, settings, the engine, and the model that this one follows. -#}
{%- macro made_by(increment) -%}
    {%- set parts = [text_files_hash(
        [model.original_file_path, 'macros/*.sql', 'macros/*/*.sql'] + increment.get('word_lists', [])
    ), engine_version()] -%}
    {%- for name in increment.get('settings', []) -%}
        {%- do parts.append(name ~ '=' ~ setting_value(name)) -%}
    {%- endfor -%}
    {%- if 'follows' in increment -%}
        {%- do parts.append(read_note(ref(increment.follows)).get('made_by', '')) -%}
    {%- endif -%}
    {{ return(local_md5(parts | join('|'))) }}
{%- endmacro -%}


{#- A hash of the files of `landing_table` that the loads up to `through` brought: landing is append-only, until it is not. -#}
{%- macro landed_files_hash(landing_table, through) -%}
    {%- set query -%}
        select
            md5(coalesce(string_agg(files.stamp, '|' order by files.stamp), ''))
        from ({{ file_stamps('landing/' ~ landing_table ~ '/*/*.parquet') }}) as files
        inner join {{ source('landing', 'loads') }} as loads on files.stem = loads.load_id
        where loads.load_sequence <= {{ through }}
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro -%}


{#- What the last build wrote beside the table; an empty mapping where there is no table or no note. -#}
{%- macro read_note(relation) -%}
    {%- set text = table_note(relation) -%}
    {{ return(fromjson(text) if text and text.startswith('{') else {}) }}
{%- endmacro -%}
