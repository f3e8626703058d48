{#-
    A value together with when it was told, as text that sorts by time: the latest of such texts is the latest value, and
    `told` takes it out again. Null where nothing was told.
-#}
{%- macro as_told(told_at, value) -%}
    case
        when {{ value }} is not null
            then cast(date_trunc('second', {{ told_at }}) as varchar) || ' ' || {{ value }}
    end
{%- endmacro -%}


{%- macro told(column) -%}
    substr({{ column }}, 21)
{%- endmacro -%}


{%- macro told_on(column) -%}
    cast(substr({{ column }}, 1, 10) as date)
{%- endmacro -%}
