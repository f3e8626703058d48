{#- For a select list: a row for each whole number from `first` to before `end`. -#}
{%- macro each_number(first, end) -%}
    {{ return(adapter.dispatch('each_number')(first, end)) }}
{%- endmacro -%}


{%- macro duckdb__each_number(first, end) -%}
    unnest(range({{ first }}, {{ end }}))
{%- endmacro -%}


{%- macro spark__each_number(first, end) -%}
    explode(sequence({{ first }}, {{ end }} - 1))
{%- endmacro -%}
