{#- A UTC timestamp as the wall clock of `zone` (a SQL expression giving an IANA name) shows it. -#}
{%- macro local_time(utc, zone) -%}
    {{ return(adapter.dispatch('local_time')(utc, zone)) }}
{%- endmacro -%}


{%- macro duckdb__local_time(utc, zone) -%}
    timezone({{ zone }}, timezone('UTC', {{ utc }}))
{%- endmacro -%}


{%- macro spark__local_time(utc, zone) -%}
    from_utc_timestamp({{ utc }}, {{ zone }})
{%- endmacro -%}
