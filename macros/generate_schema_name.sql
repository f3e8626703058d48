{#- The schema is the stage's name as it stands: dbt's default would make main_marts of it. -#}
{%- macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro -%}
