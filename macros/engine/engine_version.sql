{#- The version of the engine: what `fast_hash` and Parquet readers give may change with it. -#}
{%- macro engine_version() -%}
    {{ return(adapter.dispatch('engine_version')()) }}
{%- endmacro -%}


{%- macro duckdb__engine_version() -%}
    {{ return(run_query('select version()').rows[0][0]) }}
{%- endmacro -%}
