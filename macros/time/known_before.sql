{#-
    Whether the row of int_activity__customer_days (or of its alias) counts at an as-of date: the day lies before it, and
    of the versions of the day it is the one that was known just before it. Every join of features to customer days
    needs it: without it, a customer with returns would count several times.
-#}
{%- macro known_before(as_of_date, days='customer_days') -%}
    {{ as_of_date }} > {{ days }}.order_date
    and ({{ days }}.known_after is null or {{ as_of_date }} > {{ days }}.known_after)
    and ({{ days }}.known_until is null or {{ as_of_date }} <= {{ days }}.known_until)
{%- endmacro -%}
