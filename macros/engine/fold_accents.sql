{#- `text` in lower case without accents: é is e, ö is o, ß is ss, ł is l. -#}
{%- macro fold_accents(text) -%}
    {{ return(adapter.dispatch('fold_accents')(text)) }}
{%- endmacro -%}


{%- macro duckdb__fold_accents(text) -%}
    {#- strip_accents takes off what Unicode can hold apart from its letter; these letters are of one piece. -#}
    replace(replace(replace(
        translate(strip_accents(lower({{ text }})), 'øłđðħıŧ', 'olddhit'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'
    )
{%- endmacro -%}


{%- macro spark__fold_accents(text) -%}
    {%- set accented = {
        'a': 'àáâãäåāăą', 'c': 'çćĉċč', 'd': 'ďđð', 'e': 'èéêëēĕėęě', 'g': 'ĝğġģ', 'h': 'ĥħ', 'i': 'ìíîïĩīĭįı', 'j': 'ĵ',
        'k': 'ķ', 'l': 'ĺļľł', 'n': 'ñńņňŋ', 'o': 'òóôõöøōŏő', 'r': 'ŕŗř', 's': 'śŝşšș', 't': 'ţťŧț', 'u': 'ùúûüũūŭůűų',
        'w': 'ŵ', 'y': 'ýÿŷ', 'z': 'źżž',
    } -%}
    {%- set plain = [] -%}
    {%- for letter, variants in accented.items() -%}{%- do plain.append(letter * (variants | length)) -%}{%- endfor -%}
    replace(replace(replace(
        translate(lower({{ text }}), '{{ accented.values() | join }}', '{{ plain | join }}'), 'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'
    )
{%- endmacro -%}
