{#-
    The path of a URL, without host, query, fragment and closing slashes; '/' for the home page, null for no URL.
    Split by string functions: a regular expression takes longer, and every event has a URL.
-#}
{%- macro url_path(url) -%}
    {%- set address = "split_part(split_part(nullif(" ~ url ~ ", ''), '?', 1), '#', 1)" -%}
    {#- 'https:' and the host, with three slashes around them, come before the path; in '/a/b' nothing does. -#}
    {%- set path -%}
        substr({{ address }}, 1 + cast(contains({{ address }}, '://') as integer) * (
            length(split_part({{ address }}, '/', 1)) + length(split_part({{ address }}, '/', 3)) + 2
        ))
    {%- endset -%}
    '/' || trim({{ path }}, '/')
{%- endmacro -%}
