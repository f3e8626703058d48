{#-
    Street and number to compare by: plain words, with street, avenue, north, apartment … in the short form that the
    map `words` gives (map_of over the seed street_words); null if empty.
    '123 N. Main Street, Apt. #4' is '123 n main st unit 4', 'Hauptstraße 12 a' is 'hauptstr 12a'.
-#}
{%- macro normalize_street(text, words) -%}
    {%- set plain = plain_words(replace_pattern(text, '#', ' unit '), digits=true) -%}
    {#- German street names are one word: its ending is shortened, whatever stands before it. -#}
    {%- set shortened = replace_pattern(plain, 'str(asse)?( |$)', 'str$2') -%}
    {%- set translated = translate_words(shortened, words) -%}
    {#- 'apt #4' names the unit twice; the letter of a number may stand apart from it, at the end only: '12 n main'. -#}
    {%- set unit_once = replace_pattern(translated, '(unit )+', 'unit ') -%}
    nullif({{ replace_pattern(unit_once, '([0-9]) ([a-z])$', '$1$2') }}, '')
{%- endmacro -%}
