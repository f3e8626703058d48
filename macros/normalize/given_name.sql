{#-
    The given name behind a normalized first name: 'bob' is 'robert', 'liz beth' is 'elizabeth'. `nicknames` is a map
    from nickname to name (map_of over the seed nicknames). The whole name is looked up, then its first word; a name
    that is no nickname is its own first word.
-#}
{%- macro given_name(first_name, nicknames) -%}
    {%- set first_word = "split_part(" ~ first_name ~ ", ' ', 1)" -%}
    coalesce({{ nicknames }}[{{ first_name }}], {{ nicknames }}[{{ first_word }}], {{ first_word }})
{%- endmacro -%}
