{#- `text`, its words apart by one space, with each word that is a key of the map `words` replaced by its value. -#}
{%- macro translate_words(text, words) -%}
    {{ return(adapter.dispatch('translate_words')(text, words)) }}
{%- endmacro -%}


{%- macro duckdb__translate_words(text, words) -%}
    array_to_string(
        list_transform(string_split({{ text }}, ' '), lambda word: coalesce({{ words }}[word], word)), ' '
    )
{%- endmacro -%}


{%- macro spark__translate_words(text, words) -%}
    array_join(transform(split({{ text }}, ' '), word -> coalesce({{ words }}[word], word)), ' ')
{%- endmacro -%}
