{#-
    SQL that creates the tables that Python writes, empty and typed, before Python has ever run, and adds, retypes or
    drops columns when their contract changed. The contract is the yml of each source with meta.written_by = python.
-#}
{%- macro create_python_tables() -%}
    {%- if execute -%}
        {%- set existing = columns_of_python_tables() -%}
        {%- for table in graph.sources.values() if table.config.meta.get('written_by') == 'python' %}
            {%- set relation = table.schema ~ '.' ~ table.name -%}
            {%- if relation in existing -%}
                {{ alter_to_contract(table, relation, existing[relation]) }}
            {%- else %}
                create schema if not exists {{ table.schema }};
                create table if not exists {{ relation }} (
                    {%- for column in table.columns.values() %}
                        {{ column.name }} {{ column.data_type }}{{ ',' if not loop.last }}
                    {%- endfor %}
                );
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}


{#- {schema.table: {column: type}} of what stands; asked for once, because every stage asks. -#}
{%- macro columns_of_python_tables() -%}
    {%- set schemas = [] -%}
    {%- for table in graph.sources.values() if table.config.meta.get('written_by') == 'python' -%}
        {%- do schemas.append("'" ~ table.schema ~ "'") -%}
    {%- endfor -%}
    {%- set existing = {} -%}
    {%- if schemas -%}
        {%- set found = run_query(
            "select table_schema || '.' || table_name, column_name, lower(data_type) from information_schema.columns "
            ~ "where table_schema in (" ~ schemas | unique | join(', ') ~ ")"
        ) -%}
        {%- for row in found.rows -%}
            {%- do existing.setdefault(row[0], {}).update({row[1]: row[2]}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(existing) }}
{%- endmacro -%}


{%- macro alter_to_contract(table, relation, existing) -%}
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
{%- endmacro -%}


{#- The same as an operation of its own: `dbt run-operation prepare_warehouse`, for a run whose first step is not dbt. -#}
{%- macro prepare_warehouse() -%}
    {%- set statements = create_python_tables() -%}
    {%- if statements | trim -%}{%- do run_query(statements) -%}{%- endif -%}
{%- endmacro -%}
