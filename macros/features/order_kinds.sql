{#- What orders are counted by: columns <kind>_order_count of int_activity__purchase_days, and what is preferred of them. -#}
{%- macro weekdays() -%}
    {{ return(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']) }}
{%- endmacro -%}


{#- From which hour to before which, local time. -#}
{%- macro dayparts() -%}
    {{ return({'night': (0, 6), 'morning': (6, 12), 'afternoon': (12, 17), 'evening': (17, 24)}) }}
{%- endmacro -%}


{%- macro order_channels() -%}
    {{ return(['store', 'web', 'app', 'phone']) }}
{%- endmacro -%}


{#- The columns of all of them. -#}
{%- macro order_kind_counts() -%}
    {%- set counts = [] -%}
    {%- for kind in weekdays() + dayparts().keys() | list + order_channels() -%}
        {%- do counts.append(kind ~ '_order_count') -%}
    {%- endfor -%}
    {{ return(counts) }}
{%- endmacro -%}
