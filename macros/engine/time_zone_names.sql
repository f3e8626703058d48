{#- A query for the names of the time zones that the engine knows, in the column zone_name. -#}
{%- macro time_zone_names() -%}
    {{ return(adapter.dispatch('time_zone_names')()) }}
{%- endmacro -%}


{%- macro duckdb__time_zone_names() -%}
    select name as zone_name from pg_timezone_names()
{%- endmacro -%}


{%- macro spark__time_zone_names() -%}
    select explode(split(translate(java_method('java.time.ZoneId', 'getAvailableZoneIds'), '[]', ''), ', ')) as zone_name
{%- endmacro -%}
