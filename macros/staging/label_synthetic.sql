{#-
    "Synthetic data: …" for a table that holds rows of generated loads, else nothing. Which loads were generated, and
    which landing tables they brought, stands in `loads`; which landing tables a model reads, in dbt's graph.
-#}
{%- macro synthetic_label() -%}
    {%- if not execute -%}{{ return('') }}{%- endif -%}
    {%- set generated = [] -%}
    {%- set loads = run_query('select tables from ' ~ source('landing', 'loads') ~ ' where is_synthetic order by load_sequence') -%}
    {%- for load in loads.rows -%}
        {%- for table, row_count in fromjson(load[0]).items() if row_count -%}
            {%- do generated.append(table) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set read = landing_tables_of(model.unique_id) | select('in', generated) | list -%}
    {{ return('Synthetic data: ' ~ read | join(', ') ~ ' hold generated rows. ' if read else '') }}
{%- endmacro -%}


{#- Names of the landing tables that a model of this stage stands on, sorted, without `loads`. -#}
{%- macro landing_tables_of(unique_id) -%}
    {%- set found = [] -%}
    {%- for parent in graph.nodes[unique_id].depends_on.get('nodes', []) -%}
        {%- if parent in graph.sources -%}
            {%- do found.append(graph.sources[parent].name) -%}
        {%- else -%}
            {%- do found.extend(landing_tables_of(parent)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found | reject('equalto', 'loads') | unique | sort | list) }}
{%- endmacro -%}


{#- For a post-hook of every staging table: the label as its comment. -#}
{%- macro label_synthetic() -%}
    {%- if execute -%}
        {%- set label = synthetic_label() -%}
        {{ return(write_table_note(this, label ~ model.description | trim) if label else '') }}
    {%- endif -%}
{%- endmacro -%}
