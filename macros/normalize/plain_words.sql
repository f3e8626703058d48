{#-
    `text` as words to compare by: lower case without accents, apart by one space; apostrophes join what they part, all
    other ASCII that is no letter (and, with `digits`, no digit) parts it. Letters of other scripts stay; '' if empty.
-#}
{%- macro plain_words(text, digits=false) -%}
    {%- set joined = "translate(" ~ fold_accents(replace_spaces(text, ' ')) ~ ", '''’`´', '')" -%}
    {#- These stand between upper and lower case in ASCII, where a range would need a backslash, or beyond it. -#}
    {%- set parted = "translate(" ~ joined ~ ", '[]^_‐‑–—' || chr(92), '         ')" -%}
    trim({{ replace_pattern(parted, '[ -/:-@{-~]+' if digits else '[ -@{-~]+', ' ') }})
{%- endmacro -%}
