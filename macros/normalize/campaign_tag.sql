{#-
    The value of one campaign tag of a URL, e.g. campaign_tag('link_url', 'utm_source'): decoded, in lower case, trimmed;
    null if the tag is missing or empty. Of a tag that stands twice the first one counts.
-#}
{%- macro campaign_tag(url, tag) -%}
    {%- set raw = "regexp_extract(" ~ url ~ ", '(?i)^[^#]*?[?&]" ~ tag ~ "=([^&#]*)', 1)" -%}
    {{ clean_text("lower(" ~ decode_percent("replace(" ~ raw ~ ", '+', ' ')") ~ ")") }}
{%- endmacro -%}
