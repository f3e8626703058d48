{#- The number of the slot of `minutes` that a UTC timestamp falls into, counted from 1970; each begins inclusive. -#}
{%- macro time_slot(utc, minutes) -%}
    {{ return(adapter.dispatch('time_slot')(utc, minutes)) }}
{%- endmacro -%}


{%- macro duckdb__time_slot(utc, minutes) -%}
    epoch_us({{ utc }}) // ({{ minutes }} * 60000000)
{%- endmacro -%}


{%- macro spark__time_slot(utc, minutes) -%}
    cast(floor(unix_micros({{ utc }}) / ({{ minutes }} * 60000000)) as bigint)
{%- endmacro -%}
