{#- The windows that features look back over, in days; beside them stands the whole time. -#}
{%- macro feature_windows() -%}
    {{ return([2, 7, 28, 90, 365]) }}
{%- endmacro -%}


{#-
    What the spend of the coming four weeks is read from: from the beginning and the end of the same four weeks of the last
    year and of the one before, in whole weeks.
-#}
{%- macro season_windows() -%}
    {{ return([336, 364, 700, 728]) }}
{%- endmacro -%}
