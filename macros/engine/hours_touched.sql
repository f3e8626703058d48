{#- An aggregate: in how many of the 24 / `width` parts of a UTC day any of the timestamps falls. -#}
{%- macro hours_touched(utc, width=1) -%}
    {{ return(adapter.dispatch('hours_touched')(utc, width)) }}
{%- endmacro -%}


{%- macro duckdb__hours_touched(utc, width) -%}
    cast(bit_count(bit_or(cast(1 << (hour({{ utc }}) // {{ width }}) as integer))) as smallint)
{%- endmacro -%}


{%- macro spark__hours_touched(utc, width) -%}
    cast(bit_count(bit_or(shiftleft(1, hour({{ utc }}) div {{ width }}))) as smallint)
{%- endmacro -%}
