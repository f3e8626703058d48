{#-
    The quantile of the standard normal distribution for a probability above one half, to .0005: Abramowitz and Stegun,
    Handbook of Mathematical Functions, 26.2.23.
-#}
{%- macro normal_quantile(probability) -%}
    {%- set t = 'sqrt(-2 * ln(1 - (' ~ probability ~ ')))' -%}
    (
        {{ t }} - (2.515517 + 0.802853 * {{ t }} + 0.010328 * {{ t }} * {{ t }})
        / (1 + 1.432788 * {{ t }} + 0.189269 * {{ t }} * {{ t }} + 0.001308 * {{ t }} * {{ t }} * {{ t }})
    )
{%- endmacro -%}
