{#-
    A value together with when it was told, and when that was known, as text that sorts by time: the latest of such texts is
    the latest value, and `told` takes it out again. Null where nothing was told.
-#}
{%- macro as_told(told_at, known_at, value) -%}
    case
        when {{ value }} is not null
            then
                cast(date_trunc('second', {{ told_at }}) as varchar) || ' '
                || cast(date_trunc('second', {{ known_at }}) as varchar) || ' ' || {{ value }}
    end
{%- endmacro -%}


{%- macro told(column) -%}
    substr({{ column }}, 41)
{%- endmacro -%}


{#- A local day of activity: facts of longer ago (fillers, founding dates) are told as of the first day of the calendar. -#}
{%- macro told_on(told_at) -%}
    greatest(
        cast('1970-01-01' as date), cast({{ local_time(told_at, setting('shop.business_timezone')) }} as date)
    )
{%- endmacro -%}
