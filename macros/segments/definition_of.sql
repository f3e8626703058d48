{#-
    All that says what a rule means: its SQL, the form in force, its thresholds, and the same of the rules that it asks.
-#}
{%- macro definition_of(key) -%}
    {%- set code = graph.nodes['model.' ~ project_name ~ '.seg_' ~ key].raw_code -%}
    {%- set rules = setting_value('segments.rules') or {} -%}
    {%- set parts = [code, form_in_force(key), tojson(rules.get(key) or {}, sort_keys=true)] -%}
    {%- for other in modules.re.findall("(?:of=|is_in_segment\\()'(\\w+)'", code) -%}
        {%- do parts.append(definition_of(other)) -%}
    {%- endfor -%}
    {{ return(parts | join(' ')) }}
{%- endmacro -%}


{#- Days of orders that a rule needs: a number, or the name of its threshold that says so. -#}
{%- macro needed_history_days(key, needed) -%}
    {{ return(setting_value('segments.rules.' ~ key ~ '.' ~ needed) if needed is string else needed) }}
{%- endmacro -%}
