{#- The content of a text file, through the engine: dbt itself gives models no way to read one. -#}
{%- macro read_text_file(path) -%}
    {{ return(adapter.dispatch('read_text_file')(path)) }}
{%- endmacro -%}


{%- macro duckdb__read_text_file(path) -%}
    {%- set rows = run_query("select content from read_text('" ~ path ~ "')").rows -%}
    {{ return(rows[0][0] if rows | length else '') }}
{%- endmacro -%}
