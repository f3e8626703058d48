{#-
    Aggregates: the value of `column` in the row with the greatest `by`, an expression or a tuple in brackets. Of the rows
    whose column is not null (`newest_value`, of equals the greatest value), or of all, null or not (`greatest_by`).
-#}
{%- macro newest_value(column, by) -%}
    {{ return(adapter.dispatch('newest_value')(column, by)) }}
{%- endmacro -%}


{%- macro duckdb__newest_value(column, by) -%}
    arg_max({{ column }}, ({{ by }}, {{ column }})) filter (where {{ column }} is not null)
{%- endmacro -%}


{%- macro spark__newest_value(column, by) -%}
    max_by({{ column }}, struct({{ by }}, {{ column }})) filter (where {{ column }} is not null)
{%- endmacro -%}


{%- macro greatest_by(column, by) -%}
    {{ return(adapter.dispatch('greatest_by')(column, by)) }}
{%- endmacro -%}


{%- macro duckdb__greatest_by(column, by) -%}
    arg_max_null({{ column }}, {{ by }})
{%- endmacro -%}


{%- macro spark__greatest_by(column, by) -%}
    max_by({{ column }}, struct{{ by }})
{%- endmacro -%}
