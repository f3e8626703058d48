{#- One hash over the contents of the text files that match the patterns, and over the engine's version. -#}
{%- macro code_hash(patterns) -%}
    {{ return(adapter.dispatch('code_hash')(patterns)) }}
{%- endmacro -%}


{%- macro duckdb__code_hash(patterns) -%}
    {%- set query -%}
        select md5(version() || string_agg(md5(content), '' order by md5(content)))
        from read_text([{% for pattern in patterns %}{{ sql_text(pattern) }}{{ ', ' if not loop.last }}{% endfor %}])
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro -%}
