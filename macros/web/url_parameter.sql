{#-
    The value of parameter `name` in a URL's query string, decoded, in lower case; null where it is absent or empty.
    Of several, the first counts. Most URLs have no query, so that is looked at before the costly part.
-#}
{%- macro url_parameter(url, name) -%}
    {%- set written = "regexp_extract(split_part(" ~ url ~ ", '#', 1), '(?i)[?&]" ~ name ~ "=([^&]*)', 1)" -%}
    case
        when contains({{ url }}, '?')
            then
                nullif(
                    lower(trim({{ decode_percent("replace(" ~ written ~ ", '+', ' ')") }})),
                    ''
                )
    end
{%- endmacro -%}
