{#- How many letters must change to make one text of the other; two that swapped places are one change where the engine can. -#}
{%- macro edit_distance(left, right) -%}
    {{ return(adapter.dispatch('edit_distance')(left, right)) }}
{%- endmacro -%}


{%- macro duckdb__edit_distance(left, right) -%}
    damerau_levenshtein({{ left }}, {{ right }})
{%- endmacro -%}


{%- macro spark__edit_distance(left, right) -%}
    levenshtein({{ left }}, {{ right }})
{%- endmacro -%}
