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


{#-
    The days of a fact that was told at `told_at` and known at `known_at`, for a select list. What was told longer ago than
    the calendar goes back (fillers, founding dates) is told on its first day.
-#}
{%- macro days_of_telling() -%}
    {{ told_on('told_at') }} as day,
    {{ told_on('greatest(told_at, known_at)' if feature_basis() == 'as_known' else 'told_at') }} as counts_from,
    cast(null as date) as counts_until
{%- endmacro -%}


{%- macro told_on(told_at) -%}
    greatest(
        cast('1970-01-01' as date), cast({{ local_time(told_at, setting('shop.business_timezone')) }} as date)
    )
{%- endmacro -%}
