{#- `text` with %20 and the like decoded; what is no valid code stays as it is. -#}
{%- macro decode_percent(text) -%}
    {{ return(adapter.dispatch('decode_percent')(text)) }}
{%- endmacro -%}


{%- macro duckdb__decode_percent(text) -%}
    coalesce(try(url_decode({{ text }})), {{ text }})
{%- endmacro -%}


{%- macro spark__decode_percent(text) -%}
    coalesce(try_url_decode({{ text }}), {{ text }})
{%- endmacro -%}
