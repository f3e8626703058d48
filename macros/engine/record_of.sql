{#- Several columns as one value, to compare whole rows by. -#}
{%- macro record_of(columns) -%}
    {{ return(adapter.dispatch('record_of')(columns)) }}
{%- endmacro -%}


{%- macro duckdb__record_of(columns) -%}
    row({{ columns | join(', ') }})
{%- endmacro -%}


{%- macro spark__record_of(columns) -%}
    struct({{ columns | join(', ') }})
{%- endmacro -%}
