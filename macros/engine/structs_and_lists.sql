{#- One value with the columns as fields: it sorts by the first, then by the next. -#}
{%- macro struct_of(columns) -%}
    {{ return(adapter.dispatch('struct_of')(columns)) }}
{%- endmacro -%}


{%- macro duckdb__struct_of(columns) -%}
    struct_pack({% for column in columns %}{{ column }} := {{ column }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro -%}


{%- macro spark__struct_of(columns) -%}
    struct({{ columns | join(', ') }})
{%- endmacro -%}


{#- The list of one field of each struct in the list. -#}
{%- macro field_of_each(structs, field) -%}
    {{ return(adapter.dispatch('field_of_each')(structs, field)) }}
{%- endmacro -%}


{%- macro duckdb__field_of_each(structs, field) -%}
    list_transform({{ structs }}, lambda one: one.{{ field }})
{%- endmacro -%}


{%- macro spark__field_of_each(structs, field) -%}
    transform({{ structs }}, one -> one.{{ field }})
{%- endmacro -%}


{#-
    For each struct of a list sorted by its field, an instant: whole seconds until the next one, and from the last one to
    `until`.
-#}
{%- macro seconds_to_next_of_each(structs, field, until) -%}
    {{ return(adapter.dispatch('seconds_to_next_of_each')(structs, field, until)) }}
{%- endmacro -%}


{%- macro duckdb__seconds_to_next_of_each(structs, field, until) -%}
    list_transform({{ structs }}, lambda one, place: cast(
        floor(epoch(coalesce({{ structs }}[place + 1].{{ field }}, {{ until }}) - one.{{ field }})) as bigint
    ))
{%- endmacro -%}


{%- macro spark__seconds_to_next_of_each(structs, field, until) -%}
    transform({{ structs }}, (one, place) -> timestampdiff(
        second, one.{{ field }}, coalesce(get({{ structs }}, place + 1).{{ field }}, {{ until }})
    ))
{%- endmacro -%}


{#- The element at a position of a list, 1 for the first, -1 for the last; null beyond it. -#}
{%- macro list_element(elements, position) -%}
    {{ return(adapter.dispatch('list_element')(elements, position)) }}
{%- endmacro -%}


{%- macro duckdb__list_element(elements, position) -%}
    list_extract({{ elements }}, {{ position }})
{%- endmacro -%}


{%- macro spark__list_element(elements, position) -%}
    try_element_at({{ elements }}, {{ position }})
{%- endmacro -%}
