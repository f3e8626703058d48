{#- The description of a segment with each {threshold} replaced by its value in force; one that names none says so. -#}
{%- macro with_thresholds(key, description) -%}
    {%- set rules = setting_value('segments.rules') or {} -%}
    {%- set thresholds = rules.get(key) or {} -%}
    {%- set state = namespace(text=description) -%}
    {%- for name in modules.re.findall('\\{(\\w+)\\}', description) -%}
        {%- if name not in thresholds -%}
            {{ exceptions.raise_compiler_error(
                'seg_' ~ key ~ ': the description names {' ~ name ~ '}, which is no threshold of it. Next: write it under '
                ~ 'segments.rules.' ~ key ~ ' in ' ~ shop_file('settings.yml') ~ ', or correct the description.'
            ) }}
        {%- endif -%}
        {%- set value = thresholds[name] -%}
        {%- set state.text = state.text.replace('{' ~ name ~ '}', '(not named yet)' if value is none else value | string) -%}
    {%- endfor -%}
    {{ return(state.text) }}
{%- endmacro -%}
