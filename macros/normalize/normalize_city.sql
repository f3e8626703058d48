{#- A city to compare by: plain words, with saint, fort and mount spelled out; null if empty. -#}
{%- macro normalize_city(text) -%}
    {%- set saint = replace_pattern(plain_words(text), '(^| )(st|ste|snt)( |$)', '$1saint$3') -%}
    {%- set fort = replace_pattern(saint, '(^| )ft( |$)', '$1fort$2') -%}
    nullif({{ replace_pattern(fort, '(^| )mt( |$)', '$1mount$2') }}, '')
{%- endmacro -%}
