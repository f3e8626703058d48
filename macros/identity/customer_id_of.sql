{#- The id of the customer whose anchor has this record key. -#}
{%- macro customer_id_of(record_key) -%}
    'c_' || {{ record_key }}
{%- endmacro -%}
