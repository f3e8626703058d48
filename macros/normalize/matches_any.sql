{#- Whether one of the `patterns` (regular expressions, a setting) matches anywhere in `text`; false for null. -#}
{%- macro matches_any(text, patterns) -%}
    {%- if patterns -%}
        coalesce({{ matches_pattern(text, '(' ~ patterns | join(')|(') ~ ')') }}, false)
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro -%}
