{#- The UTC timestamp of a text that ends in Z or an offset from UTC; null when it is not a time. -#}
{%- macro parse_instant(text) -%}
    {{ return(adapter.dispatch('parse_instant')(text)) }}
{%- endmacro -%}


{%- macro duckdb__parse_instant(text) -%}
    timezone('UTC', try_cast({{ text }} as timestamp with time zone))
{%- endmacro -%}


{%- macro spark__parse_instant(text) -%}
    to_utc_timestamp(try_cast({{ text }} as timestamp), current_timezone())
{%- endmacro -%}
