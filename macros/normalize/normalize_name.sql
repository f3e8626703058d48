{#-
    A person's name to compare by: lower case without accents, hyphens are spaces, no other punctuation, digits, titles
    ('Dr.', 'Mrs') or suffixes ('Jr.', 'III') unless there is nothing else; null if nothing is left. Letters of other
    scripts stay. 'Dr. Anna-Léna' is 'anna lena', 'O’Brien Jr.' is 'obrien'.
-#}
{%- macro normalize_name(text) -%}
    {%- set untitled = replace_pattern(
        plain_words(text), '^((mr|mrs|ms|miss|mx|dr|prof|herr|frau|mme|mlle) )+', ''
    ) -%}
    nullif({{ replace_pattern(untitled, '( (jr|sr|ii|iii|iv|phd|md|esq))+$', '') }}, '')
{%- endmacro -%}
