{#-
    The value of one parameter in a URL's query, such as a campaign tag, url_parameter('link_url', 'utm_source'): decoded,
    in lower case, trimmed; null if the parameter is missing or empty. Of one that stands twice the first counts. Most
    URLs have no query, so that is looked at before the costly part.
-#}
{%- macro url_parameter(url, name) -%}
    {%- set raw = "regexp_extract(split_part(" ~ url ~ ", '#', 1), '(?i)[?&]" ~ name ~ "=([^&]*)', 1)" -%}
    case
        when contains({{ url }}, '?')
            then {{ clean_text("lower(" ~ decode_percent("replace(" ~ raw ~ ", '+', ' ')") ~ ")") }}
    end
{%- endmacro -%}
