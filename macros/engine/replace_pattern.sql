{#-
    `text` with every match of the regular expression `pattern` replaced; $1 in the replacement is the first group.
    Patterns have no backslash (write [.] and [0-9]): engines differ in how a SQL literal escapes it.
-#}
{%- macro replace_pattern(text, pattern, replacement) -%}
    {{ return(adapter.dispatch('replace_pattern')(text, pattern, replacement)) }}
{%- endmacro -%}


{%- macro duckdb__replace_pattern(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ sql_text(pattern) }}, {{ sql_text(replacement | replace('$', '\\')) }}, 'g')
{%- endmacro -%}


{%- macro spark__replace_pattern(text, pattern, replacement) -%}
    regexp_replace({{ text }}, {{ sql_text(pattern) }}, {{ sql_text(replacement) }})
{%- endmacro -%}
