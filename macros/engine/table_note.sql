{#-
    Whether tables can be continued: notes are kept beside them and rows replaced by key (`replace_rows`). Spark without an
    extra table format has no merge, so there every build is a full one.
-#}
{%- macro keeps_notes() -%}
    {{ return(adapter.dispatch('keeps_notes')()) }}
{%- endmacro -%}


{%- macro duckdb__keeps_notes() -%}
    {{ return(true) }}
{%- endmacro -%}


{%- macro spark__keeps_notes() -%}
    {{ return(false) }}
{%- endmacro -%}


{#- The comment on a table (none: there is no table or no comment), and the statement that writes one. -#}
{%- macro table_note(relation) -%}
    {{ return(adapter.dispatch('table_note')(relation)) }}
{%- endmacro -%}


{%- macro duckdb__table_note(relation) -%}
    {%- set query -%}
        select comment from duckdb_tables()
        where
            database_name = '{{ relation.database }}'
            and schema_name = '{{ relation.schema }}'
            and table_name = '{{ relation.identifier }}'
    {%- endset -%}
    {%- set rows = run_query(query).rows -%}
    {{ return(rows[0][0] if rows | length else none) }}
{%- endmacro -%}


{%- macro write_table_note(relation, text) -%}
    {{ return(adapter.dispatch('write_table_note')(relation, text)) }}
{%- endmacro -%}


{%- macro duckdb__write_table_note(relation, text) -%}
    comment on {{ 'view' if model.config.materialized == 'view' else 'table' }} {{ relation }} is {{ sql_text(text) }}
{%- endmacro -%}
