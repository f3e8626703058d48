{#- The rows of a group as a list of structs of `order_by` and `others`, sorted by `order_by`. -#}
{%- macro sorted_list(order_by, others) -%}
    {{ return(adapter.dispatch('sorted_list')(order_by, others)) }}
{%- endmacro -%}


{%- macro duckdb__sorted_list(order_by, others) -%}
    list(
        {
            {%- for column in order_by + others %}
                '{{ column.split('.')[-1] }}': {{ column }}{{ ',' if not loop.last }}
            {%- endfor %}
        }
        order by {{ order_by | join(', ') }}
    )
{%- endmacro -%}


{#- Structs sort by their fields in order. -#}
{%- macro spark__sorted_list(order_by, others) -%}
    sort_array(
        collect_list(
            named_struct(
                {%- for column in order_by + others %}
                    '{{ column.split('.')[-1] }}', {{ column }}{{ ',' if not loop.last }}
                {%- endfor %}
            )
        )
    )
{%- endmacro -%}


{#- In a select list: one row an element of the list, its fields as columns. -#}
{%- macro unnest_structs(list) -%}
    {{ return(adapter.dispatch('unnest_structs')(list)) }}
{%- endmacro -%}


{%- macro duckdb__unnest_structs(list) -%}
    unnest({{ list }}, recursive := true)
{%- endmacro -%}


{%- macro spark__unnest_structs(list) -%}
    inline({{ list }})
{%- endmacro -%}


{#- The values of a group as a sorted list. -#}
{%- macro list_of(value) -%}
    {{ return(adapter.dispatch('list_of')(value)) }}
{%- endmacro -%}


{%- macro duckdb__list_of(value) -%}
    list({{ value }} order by {{ value }})
{%- endmacro -%}


{%- macro spark__list_of(value) -%}
    sort_array(collect_list({{ value }}))
{%- endmacro -%}


{#- The different values of a group that are not null, as a sorted list; an empty one if there are none. -#}
{%- macro list_of_distinct(value) -%}
    {{ return(adapter.dispatch('list_of_distinct')(value)) }}
{%- endmacro -%}


{%- macro duckdb__list_of_distinct(value) -%}
    coalesce(list_sort(list(distinct {{ value }}) filter ({{ value }} is not null)), [])
{%- endmacro -%}


{%- macro spark__list_of_distinct(value) -%}
    sort_array(collect_set({{ value }}))
{%- endmacro -%}


{#- Whether a list has the element. -#}
{%- macro list_has(list, element) -%}
    {{ return(adapter.dispatch('list_has')(list, element)) }}
{%- endmacro -%}


{%- macro duckdb__list_has(list, element) -%}
    list_contains({{ list }}, {{ element }})
{%- endmacro -%}


{%- macro spark__list_has(list, element) -%}
    array_contains({{ list }}, {{ element }})
{%- endmacro -%}


{#- In a select list: one row an element of the list. -#}
{%- macro unnest_list(list) -%}
    {{ return(adapter.dispatch('unnest_list')(list)) }}
{%- endmacro -%}


{%- macro duckdb__unnest_list(list) -%}
    unnest({{ list }})
{%- endmacro -%}


{%- macro spark__unnest_list(list) -%}
    explode({{ list }})
{%- endmacro -%}
