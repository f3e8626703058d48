{#- An aggregate: the map from each value of the column `key` to that of `item`; keys must differ. -#}
{%- macro map_of(key, item) -%}
    {{ return(adapter.dispatch('map_of')(key, item)) }}
{%- endmacro -%}


{%- macro duckdb__map_of(key, item) -%}
    coalesce(map_from_entries(list(row({{ key }}, {{ item }}))), map())
{%- endmacro -%}


{%- macro spark__map_of(key, item) -%}
    map_from_entries(collect_list(struct({{ key }}, {{ item }})))
{%- endmacro -%}
