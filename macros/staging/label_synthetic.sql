{#-
    SQL that begins the comment of a table with "Synthetic data: " when what it is made from has rows of a synthetic load;
    nothing otherwise. It hangs on the whole folder (dbt_project.yml). Which landing tables stand behind a model says dbt's
    graph, and which of them have synthetic rows say the loads: no table is read.
-#}
{%- macro label_synthetic() -%}
    {%- if execute and landing_tables_behind(model) | select('in', synthetic_tables()) | list -%}
        comment on table {{ this }} is {{ sql_text('Synthetic data: ' ~ model.description | trim) }}
    {%- endif -%}
{%- endmacro -%}


{#- Landing tables, the loads aside, that a model is made from, through whatever models lie between. -#}
{%- macro landing_tables_behind(node) -%}
    {%- set state = namespace(waiting=[node.unique_id], seen=[], tables=[]) -%}
    {%- for _ in range(graph.nodes | length + graph.sources | length) if state.waiting -%}
        {%- set at = state.waiting.pop() -%}
        {%- do state.seen.append(at) -%}
        {%- if at in graph.sources -%}
            {%- set source = graph.sources[at] -%}
            {%- if source.source_name == 'landing' and source.name != 'loads' -%}
                {%- do state.tables.append(source.name) -%}
            {%- endif -%}
        {%- else -%}
            {%- for parent in graph.nodes[at].depends_on.nodes if parent not in state.seen + state.waiting -%}
                {%- do state.waiting.append(parent) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(state.tables) }}
{%- endmacro -%}


{#- Landing tables of which a synthetic load brought rows. -#}
{%- macro synthetic_tables() -%}
    {%- set tables = [] -%}
    {%- for row in run_query('select tables from ' ~ source('landing', 'loads') ~ ' where is_synthetic').rows -%}
        {%- for table, rows in fromjson(row[0]).items() if rows -%}
            {%- do tables.append(table) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(tables) }}
{%- endmacro -%}
