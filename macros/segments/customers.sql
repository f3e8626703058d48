{#-
    What a rule selects from: each customer at each date at which rules are evaluated, once for each form of the
    thresholds. The columns are those of int_segments__customers.
-#}
{%- macro customers() -%}
    {{ ref('int_segments__customers').include(database=false) }}
{%- endmacro -%}


{#- A condition: the customer is in another segment at the same date, by the form of its thresholds that is in force. -#}
{%- macro is_in_segment(name) -%}
    (customer_id, as_of_date) in (
        select
            customer_id,
            as_of_date
        from {{ ref('seg_' ~ name).include(database=false) }}
        where threshold_form = '{{ form_in_force(name) }}'
    )
{%- endmacro -%}


{#- A condition: the attribute from outside (column attributes, <provider>.<attribute>) has this value; SQL literals. -#}
{%- macro attribute_is(name, value) -%}
    attributes[{{ name }}] = {{ value }}
{%- endmacro -%}
