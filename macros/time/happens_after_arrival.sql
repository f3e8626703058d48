{#-
    Whether a row says that it happened after it arrived, by more than clocks differ
    (setting normalization.max_clock_ahead_minutes).
-#}
{%- macro happens_after_arrival(occurred_at='occurred_at') -%}
    {{ occurred_at }} > known_at + interval {{ setting('normalization.max_clock_ahead_minutes') }} minute
{%- endmacro -%}
