{#-
    What a rule segment is called: as the shop says under segments.names, else as the segment's own yml does. A name for
    a segment that is not there is an error: it would be lost without a word.
-#}
{%- macro segment_name(model, shipped) -%}
    {%- set own = setting_value('segments.names') or {} -%}
    {%- set known = [] -%}
    {%- for name in rule_segments() -%}{%- do known.append(name[4:]) -%}{%- endfor -%}
    {%- for key in own if key not in known -%}
        {{ exceptions.raise_compiler_error(
            shop_file('settings.yml') ~ ": segments.names." ~ key ~ ": there is no such segment. Next: take one of "
            ~ known | join(', ') ~ "."
        ) }}
    {%- endfor -%}
    {{ return(own.get(model[4:], shipped.name)) }}
{%- endmacro -%}
