{#-
    A naive timestamp, the wall clock of `zone` (a SQL expression giving an IANA name), in UTC.

    Twice a year the wall clock does not say which instant is meant. In the hour that comes twice (clocks go back) the
    second one, standard time, is taken. In the hour that never comes (clocks go forward) the clock is taken for one
    that was not put forward: 02:30 is half an hour after 02:00 standard time, which the right clock calls 03:30.
-#}
{%- macro to_utc(local, zone) -%}
    {{ return(adapter.dispatch('to_utc')(local, zone)) }}
{%- endmacro -%}


{%- macro duckdb__to_utc(local, zone) -%}
    timezone('UTC', timezone({{ zone }}, {{ local }}))
{%- endmacro -%}


{#- Spark takes the first of two equal hours; an hour later on the clock only the second one is left. -#}
{%- macro spark__to_utc(local, zone) -%}
    greatest(
        to_utc_timestamp({{ local }}, {{ zone }}),
        to_utc_timestamp({{ local }} + interval 1 hour, {{ zone }}) - interval 1 hour
    )
{%- endmacro -%}
