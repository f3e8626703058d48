{#-
    A pause (milliseconds) as 1000 times the logarithm of its seconds, a whole number: sums of whole numbers do not depend
    on the order in which threads finish. Pauses are compared by ratio: 2 s to 4 s is as far as 20 s to 40 s.
-#}
{%- macro log_of_pause(pause_ms) -%}
    cast(round(1000 * ln(greatest({{ pause_ms }}, 1) / 1000.0)) as bigint)
{%- endmacro -%}
