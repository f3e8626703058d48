{#- `text` without white space and invisible characters at its ends, one space where there were several; null if empty. -#}
{%- macro clean_text(text) -%}
    nullif(trim({{ replace_spaces(text, ' ') }}), '')
{%- endmacro -%}
