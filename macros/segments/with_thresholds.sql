{#- The description of a segment with each {threshold} replaced by its value in force. -#}
{%- macro with_thresholds(description) -%}
    {%- set state = namespace(text=description) -%}
    {%- for name in modules.re.findall('\{(\w+)\}', description) -%}
        {%- set state.text = state.text.replace('{' ~ name ~ '}', setting_value('segments.' ~ name) | string) -%}
    {%- endfor -%}
    {{ return(state.text) }}
{%- endmacro -%}
