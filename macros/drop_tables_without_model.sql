{#-
    SQL that drops what a removed or renamed model left behind in the schemas of the stages. dbt itself leaves such
    tables, and the gates, which look at what is there, would hold yesterday's segment against today's customers.
-#}
{%- macro drop_tables_without_model() -%}
    {%- if execute -%}
        {%- set known = [] -%}
        {%- set schemas = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type in ('model', 'seed') -%}
            {%- do known.append(node.schema ~ '.' ~ node.name) -%}
            {%- do schemas.append("'" ~ node.schema ~ "'") -%}
        {%- endfor -%}
        {%- set found = run_query(
            "select table_schema, table_name, table_type from information_schema.tables where table_schema in ("
            ~ schemas | unique | join(', ') ~ ")"
        ) -%}
        {%- for row in found.rows if row[0] ~ '.' ~ row[1] not in known %}
            drop {{ 'view' if row[2] == 'VIEW' else 'table' }} if exists {{ row[0] }}.{{ row[1] }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
