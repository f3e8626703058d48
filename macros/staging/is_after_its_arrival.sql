{#-
    Whether a row says that it happened after it arrived, by more than clocks and time zones go wrong. `hours` is the
    shop's staging.max_hours_after_arrival.
-#}
{%- macro is_after_its_arrival(occurred_at='occurred_at', known_at='known_at') -%}
    {{ occurred_at }} > {{ known_at }} + interval {{ setting('staging.max_hours_after_arrival') }} hour
{%- endmacro -%}
