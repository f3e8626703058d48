{#-
    Evidence (nats) that `count` + 1 pauses whose logarithms spread by `spread` come from a source more even than people,
    who spread by `usual` at least: the logarithm of the likelihood ratio of two normal distributions. 0 for no evidence.
    A spread below 0.03 counts as 0.03: clocks have their grain.
-#}
{%- macro evidence_of_evenness(count, spread, usual) -%}
    {%- set ratio = "(greatest(" ~ spread ~ ", 0.03) / " ~ usual ~ ")" -%}
    case
        when {{ spread }} < {{ usual }}
            then {{ count }} * ({{ ratio }} * {{ ratio }} / 2 - 0.5 - ln{{ ratio }})
        else 0
    end
{%- endmacro -%}
