{#- 16 hexadecimal digits of the parts joined: the same on every engine, in every run. -#}
{%- macro stable_hash(parts) -%}
    substr(md5({% for part in parts %}cast({{ part }} as varchar){{ " || '|' || " if not loop.last }}{% endfor %}), 1, 16)
{%- endmacro -%}
