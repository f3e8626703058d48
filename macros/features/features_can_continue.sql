{#-
    Whether this build may compute new as-of dates and changed customers only: code, settings and basis are those of the
    tables that stand. What changed in the data, the fingerprints tell.
-#}
{%- macro features_can_continue() -%}
    {%- set note = note_of_the_last_build() -%}
    {{ return(
        all_are_of_one_build(note)
        and note.made_by == made_by(config.get('meta').increment)
        and note.models == code_of_the_stage()
        and note.basis == feature_basis()
    ) }}
{%- endmacro -%}


{#- For the post-hook of the stage's first model. -#}
{%- macro note_features() -%}
    {%- if execute and keeps_notes() -%}
        {%- set note = {
            'generation': invocation_id,
            'follows': note_of_the_last_build().generation if features_can_continue() else none,
            'made_by': made_by(config.get('meta').increment),
            'models': code_of_the_stage(),
            'basis': feature_basis(),
        } -%}
        {{ write_table_note(this, tojson(note)) }}
    {%- endif -%}
{%- endmacro -%}


{#- A hash of the SQL of all models of this stage, those in a shop's own folder among them. -#}
{%- macro code_of_the_stage() -%}
    {%- set files = [] -%}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.schema == this.schema -%}
        {%- do files.append(node.original_file_path) -%}
    {%- endfor -%}
    {{ return(code_hash(files)) }}
{%- endmacro -%}


{#- One number for the rows of a relation that have the same keys, whatever their order: a sum of hashes of whole rows. -#}
{%- macro fingerprint_of_rows(relation) -%}
    {%- set names = [] -%}
    {%- if execute -%}
        {%- for column in adapter.get_columns_in_relation(relation) -%}{%- do names.append(column.name) -%}{%- endfor -%}
    {%- endif -%}
    sum(cast({{ fast_hash(names or ['1']) }} as decimal(38, 0)))
{%- endmacro -%}


{#-
    The incremental strategy of the features stage: rows of changed customers go, and those of dates that are new or no
    longer kept, and what was computed comes.
-#}
{%- macro get_incremental_replace_due_sql(arg_dict) -%}
    {%- set target, incoming = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    delete from {{ target }}
    where
        customer_id in (select customer_id from {{ beside(this, 'int_activity__fingerprints') }} where is_changed)
        or as_of_date not in (select as_of_date from {{ beside(this, 'int_as_of_dates') }} where not is_new);

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ incoming }}
{%- endmacro -%}
