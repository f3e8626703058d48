{#- The parameters of a URL's query, sorted, without those whose name matches `dropped`; '' when none is left. -#}
{%- macro kept_parameters(query, dropped) -%}
    {{ return(adapter.dispatch('kept_parameters')(query, dropped)) }}
{%- endmacro -%}


{%- macro duckdb__kept_parameters(query, dropped) -%}
    array_to_string(
        list_sort(
            list_filter(
                string_split({{ query }}, '&'),
                lambda pair: pair <> '' and not regexp_matches(pair, {{ sql_text(dropped) }})
            )
        ), '&'
    )
{%- endmacro -%}


{%- macro spark__kept_parameters(query, dropped) -%}
    array_join(
        array_sort(filter(split({{ query }}, '&'), pair -> pair <> '' and not pair rlike {{ sql_text(dropped) }})), '&'
    )
{%- endmacro -%}
