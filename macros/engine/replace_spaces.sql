{#-
    `text` with every run of white space and invisible characters (no-break and zero-width spaces, control characters,
    text-direction marks: what copying from web pages and spreadsheets leaves) replaced.
-#}
{%- macro replace_spaces(text, replacement) -%}
    {{ return(adapter.dispatch('replace_spaces')(text, replacement)) }}
{%- endmacro -%}


{%- macro duckdb__replace_spaces(text, replacement) -%}
    regexp_replace({{ text }}, '[\pZ\p{Cc}\p{Cf}]+', '{{ replacement }}', 'g')
{%- endmacro -%}


{%- macro spark__replace_spaces(text, replacement) -%}
    regexp_replace({{ text }}, '[\\p{Z}\\p{Cc}\\p{Cf}]+', '{{ replacement }}')
{%- endmacro -%}
