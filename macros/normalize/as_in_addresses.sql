{#- Words as addresses of pages write them: SOFT DRINKS and soft-drinks are both soft-drinks. -#}
{%- macro as_in_addresses(text) -%}
    trim({{ replace_pattern('lower(' ~ text ~ ')', '[^a-z0-9]+', '-') }}, '-')
{%- endmacro -%}
