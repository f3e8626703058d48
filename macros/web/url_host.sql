{#-
    The host that a URL names, in lower case, without user, port and a leading www; null where it names none.
    A chain of functions without a case: the engine then works on the distinct values of a column, not on every row.
-#}
{%- macro url_host(url) -%}
    {%- set after_scheme = "split_part(split_part(" ~ url ~ ", '://', 2), '/', 1)" -%}
    {%- set authority = "split_part(split_part(" ~ after_scheme ~ ", '?', 1), '#', 1)" -%}
    nullif(regexp_replace(lower(split_part(split_part({{ authority }}, '@', -1), ':', 1)), '^www[.]', ''), '')
{%- endmacro -%}
