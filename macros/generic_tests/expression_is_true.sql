{#- Fails with the rows for which `expression` is false; a null is no failure (not_null says that). -#}
{%- test expression_is_true(model, expression) -%}
    select *
    from {{ model }}
    where not ({{ expression }})
{%- endtest -%}
