{#-
    `text` as words to compare by: lower case without accents, apart by one space; apostrophes join what they part,
    everything else that is no letter (and, with `digits`, no digit) parts it. Letters of other scripts stay; '' if empty.
-#}
{%- macro plain_words(text, digits=false) -%}
    {%- set joined = replace_pattern(fold_accents(text), "['’`´]+", '') -%}
    {#- Beyond ASCII all is taken for letters but the blocks of punctuation and signs, U+2000 to U+2BFF. -#}
    trim({{ replace_pattern(joined, '[^a-zª-῿Ⰰ-￼' ~ ('0-9' if digits else '') ~ ']+', ' ') }})
{%- endmacro -%}
