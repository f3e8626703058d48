{#-
    Standard deviation of logarithms from their count, sum and sum of squares as `log_of_pause` writes them; null for
    fewer than two. 1 means that half of the pauses lie within a factor of two of the middle one, 0.1 within 7 %.
-#}
{%- macro log_spread(name) -%}
    case
        when {{ name }}_count >= 2 then sqrt(greatest(
            0,
            {{ name }}_log_square_sum - cast({{ name }}_log_sum as double) * {{ name }}_log_sum / {{ name }}_count
        ) / ({{ name }}_count - 1)) / 1000
    end
{%- endmacro -%}
