{#- One hash over the contents of the text files that match the patterns. -#}
{%- macro text_files_hash(patterns) -%}
    {{ return(adapter.dispatch('text_files_hash')(patterns)) }}
{%- endmacro -%}


{%- macro duckdb__text_files_hash(patterns) -%}
    {%- set query -%}
        select md5(string_agg(md5(content), '' order by parse_filename(filename), md5(content)))
        from read_text([{% for pattern in patterns %}{{ sql_text(pattern) }}{{ ', ' if not loop.last }}{% endfor %}])
    {%- endset -%}
    {{ return(run_query(query).rows[0][0]) }}
{%- endmacro -%}
