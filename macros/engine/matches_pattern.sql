{#- Whether the regular expression `pattern` (without a backslash) matches anywhere in `text`; null for null. -#}
{%- macro matches_pattern(text, pattern) -%}
    {{ return(adapter.dispatch('matches_pattern')(text, pattern)) }}
{%- endmacro -%}


{%- macro duckdb__matches_pattern(text, pattern) -%}
    regexp_matches({{ text }}, {{ sql_text(pattern) }})
{%- endmacro -%}


{%- macro spark__matches_pattern(text, pattern) -%}
    ({{ text }} rlike {{ sql_text(pattern) }})
{%- endmacro -%}
