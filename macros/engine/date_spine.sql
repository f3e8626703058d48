{#- One row a day, from `first_date` to `last_date` inclusive, in the column date_day. -#}
{%- macro date_spine(first_date, last_date) -%}
    {{ return(adapter.dispatch('date_spine')(first_date, last_date)) }}
{%- endmacro -%}


{%- macro duckdb__date_spine(first_date, last_date) -%}
    select cast(unnest(generate_series({{ first_date }}, {{ last_date }}, interval 1 day)) as date) as date_day
{%- endmacro -%}


{%- macro spark__date_spine(first_date, last_date) -%}
    select explode(sequence({{ first_date }}, {{ last_date }}, interval 1 day)) as date_day
{%- endmacro -%}
