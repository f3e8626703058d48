{#- The columns of a row as one JSON text: what quarantine keeps of a rejected row. -#}
{%- macro to_json_object(columns) -%}
    {{ return(adapter.dispatch('to_json_object')(columns)) }}
{%- endmacro -%}


{%- macro duckdb__to_json_object(columns) -%}
    cast(json_object({% for column in columns %}'{{ column }}', {{ column }}{{ ", " if not loop.last }}{% endfor %}) as varchar)
{%- endmacro -%}


{%- macro spark__to_json_object(columns) -%}
    to_json(named_struct({% for column in columns %}'{{ column }}', {{ column }}{{ ", " if not loop.last }}{% endfor %}))
{%- endmacro -%}
