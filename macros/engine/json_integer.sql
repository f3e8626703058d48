{#- The whole number that stands under a name (a SQL expression) at the top of a JSON text; null where it is not there. -#}
{%- macro json_integer(json, name) -%}
    {{ return(adapter.dispatch('json_integer')(json, name)) }}
{%- endmacro -%}


{%- macro duckdb__json_integer(json, name) -%}
    cast(json_extract_string({{ json }}, '$.' || {{ name }}) as bigint)
{%- endmacro -%}


{%- macro spark__json_integer(json, name) -%}
    cast(from_json({{ json }}, 'map<string, bigint>')[{{ name }}] as bigint)
{%- endmacro -%}
