{#- An aggregate: a text that tells two sets of keys apart, whatever their order. -#}
{%- macro hash_of_keys(key) -%}
    {{ return(adapter.dispatch('hash_of_keys')(key)) }}
{%- endmacro -%}


{%- macro duckdb__hash_of_keys(key) -%}
    md5(string_agg({{ key }}, ',' order by {{ key }}))
{%- endmacro -%}


{%- macro spark__hash_of_keys(key) -%}
    md5(array_join(sort_array(collect_list({{ key }})), ','))
{%- endmacro -%}
