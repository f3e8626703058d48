{#- The value of `column` that the share `at` of the rows does not exceed; exact, so that two builds are equal. -#}
{%- macro exact_quantile(column, at) -%}
    {{ return(adapter.dispatch('exact_quantile')(column, at)) }}
{%- endmacro -%}


{%- macro duckdb__exact_quantile(column, at) -%}
    quantile_disc({{ column }}, {{ at }})
{%- endmacro -%}


{%- macro spark__exact_quantile(column, at) -%}
    percentile_disc({{ at }}) within group (order by {{ column }})
{%- endmacro -%}
