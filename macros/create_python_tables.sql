{#-
    SQL that creates the tables that Python writes, empty and typed, before Python has ever run, and adds, retypes or
    drops columns when their contract changed. The contract is the yml of each source with meta.written_by = python.
-#}
{%- macro create_python_tables() -%}
    {%- if execute -%}
        {%- for table in graph.sources.values() if table.config.meta.get('written_by') == 'python' %}
            {%- set relation = table.schema ~ '.' ~ table.name %}
            create schema if not exists {{ table.schema }};
            create table if not exists {{ relation }} (
                {%- for column in table.columns.values() %}
                    {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
                {%- endfor %}
            );
            {{- alter_to_contract(table, relation) }}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}


{%- macro alter_to_contract(table, relation) -%}
    {%- set found = run_query(
        "select column_name, lower(data_type) from information_schema.columns where table_schema = '"
        ~ table.schema ~ "' and table_name = '" ~ table.name ~ "'"
    ) -%}
    {%- set existing = {} -%}
    {%- for row in found.rows -%}{%- do existing.update({row[0]: row[1]}) -%}{%- endfor -%}
    {#- No columns: the table is created by the statement above. -#}
    {%- if existing -%}
        {%- for column in table.columns.values() %}
            {%- if column.name not in existing %}
                alter table {{ relation }} add column {{ column.name }} {{ column.data_type }};
            {%- elif existing[column.name] != column.data_type | lower %}
                alter table {{ relation }} alter column {{ column.name }} type {{ column.data_type }};
            {%- endif -%}
        {%- endfor -%}
        {%- for name in existing if name not in table.columns %}
            alter table {{ relation }} drop column {{ name }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}


{#- The same as an operation of its own: `dbt run-operation prepare_warehouse`, for a run whose first step is not dbt. -#}
{%- macro prepare_warehouse() -%}
    {%- do run_query(create_python_tables()) -%}
{%- endmacro -%}
