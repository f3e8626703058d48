{#-
    The columns of a row (of the relation `of`, where several are joined) as one JSON text: what quarantine keeps of a
    rejected row, and what tells two versions of a row apart.
-#}
{%- macro to_json_object(columns, of=none) -%}
    {{ return(adapter.dispatch('to_json_object')(columns, of ~ '.' if of else '')) }}
{%- endmacro -%}


{%- macro duckdb__to_json_object(columns, of) -%}
    cast(json_object({% for column in columns %}'{{ column }}', {{ of }}{{ column }}{{ ", " if not loop.last }}{% endfor %}) as varchar)
{%- endmacro -%}


{%- macro spark__to_json_object(columns, of) -%}
    to_json(named_struct({% for column in columns %}'{{ column }}', {{ of }}{{ column }}{{ ", " if not loop.last }}{% endfor %}))
{%- endmacro -%}
