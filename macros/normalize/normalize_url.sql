{#-
    A URL to compare by: scheme and host in lower case without the scheme's own port, no fragment, the query's
    parameters sorted and without those that only track a click (utm_*, gclid and the like); null if empty. A path
    without a host stays a path. What the campaign tags said: see url_parameter.
-#}
{%- macro normalize_url(text) -%}
    {%- set url = clean_text(text) -%}
    {%- set form = '^([a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*)?([^?#]*)([?]([^#]*))?' -%}
    {%- set host = "lower(regexp_extract(" ~ url ~ ", '" ~ form ~ "', 1))" -%}
    {%- set default_port = replace_pattern(replace_pattern(host, '^(http://.*):80$', '$1'), '^(https://.*):443$', '$1') -%}
    {%- set path = "trim(regexp_extract(" ~ url ~ ", '" ~ form ~ "', 2))" -%}
    {%- set query = kept_parameters(
        "regexp_extract(" ~ url ~ ", '" ~ form ~ "', 4)",
        '^(utm_[a-z_]+|gclid|gbraid|wbraid|dclid|fbclid|msclkid|twclid|ttclid|li_fat_id|igshid|yclid|mc_cid|mc_eid|_hsenc|_hsmi'
        ~ '|mkt_tok|vero_id|wickedid|_ga|_gl)(=|$)'
    ) -%}
    nullif(
        {{ default_port }}
        || case when {{ path }} = '' and {{ host }} <> '' then '/' else {{ path }} end
        || coalesce('?' || nullif({{ query }}, ''), ''),
        ''
    )
{%- endmacro -%}
