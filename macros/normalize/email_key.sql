{#-
    What is the same for all spellings of one mailbox, from a normalized address: what to match on, not what to write
    to. `ignores_plus_tag`: ann+shop@x.com is ann@x.com; `ignores_dots_at`: hosts for whom a.nn is ann. By default the
    settings normalization.email_ignores_plus_tag and normalization.email_ignores_dots_at.
-#}
{%- macro email_key(email, ignores_plus_tag=none, ignores_dots_at=none) -%}
    {%- if ignores_plus_tag is none -%}
        {%- set ignores_plus_tag = setting_value('normalization.email_ignores_plus_tag') -%}
    {%- endif -%}
    {%- if ignores_dots_at is none -%}
        {%- set ignores_dots_at = setting_value('normalization.email_ignores_dots_at') or [] -%}
    {%- endif -%}
    {%- set mailbox = "split_part(" ~ email ~ ", '@', 1)" -%}
    {%- set host = "split_part(" ~ email ~ ", '@', 2)" -%}
    {%- if ignores_plus_tag -%}
        {#- An address that begins with the plus keeps it: nothing would be left. -#}
        {%- set mailbox = "coalesce(nullif(regexp_extract(" ~ mailbox ~ ", '^[^+]+', 0), ''), " ~ mailbox ~ ")" -%}
    {%- endif -%}
    {%- if ignores_dots_at -%}
        {%- set hosts = [] -%}
        {%- for name in ignores_dots_at -%}{%- do hosts.append(sql_text(name | lower)) -%}{%- endfor -%}
        {%- set mailbox = "case when " ~ host ~ " in (" ~ hosts | join(', ') ~ ") then coalesce(nullif(replace("
            ~ mailbox ~ ", '.', ''), ''), " ~ mailbox ~ ") else " ~ mailbox ~ " end" -%}
    {%- endif -%}
    ({{ mailbox }} || '@' || {{ host }})
{%- endmacro -%}
