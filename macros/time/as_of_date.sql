{#-
    The date that "now" means in this build, as a SQL expression of type date: AUDIENCE_AS_OF, else the shop's
    time.as_of_date, else the business day after the last landed order. Nothing in a model asks the clock.
-#}
{%- macro as_of_date() -%}
    {%- set last_order = "(select max(order_date) + 1 from " ~ ref('stg_shop__orders') ~ ")" -%}
    {%- set given = env_var('AUDIENCE_AS_OF', '') or setting_value('time.as_of_date') -%}
    {{ return("date '" ~ given ~ "'" if given else last_order) }}
{%- endmacro -%}
