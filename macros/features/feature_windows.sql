{#- The windows that features look back over, in days; beside them stands the whole time. -#}
{%- macro feature_windows() -%}
    {{ return([2, 7, 28, 90, 365]) }}
{%- endmacro -%}
