{#-
    An e-mail address as it is written to: lower case, no spaces around it or its dots and its @, without what surrounds it in an address field
    ('Ann <ANN@x.com>', 'mailto:ann@x.com', a trailing dot). Null if nothing is left; whether it can be an address says
    is_email. Two spellings of one mailbox: see email_key.
-#}
{%- macro normalize_email(text) -%}
    {%- set spaced = replace_spaces('lower(' ~ text ~ ')', ' ') -%}
    {%- set bare = replace_pattern(spaced, ' *([.@]) *', '$1') -%}
    {%- set begun = replace_pattern(bare, '^(.*<)?(mailto:|[ \'"])*', '') -%}
    nullif({{ replace_pattern(begun, '[ .,;:\'"]*(>.*)?$', '') }}, '')
{%- endmacro -%}
