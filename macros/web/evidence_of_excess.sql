{#-
    Evidence (nats) of a value `distance` standard deviations above what is usual: that of a normal distribution beyond
    the second one, for among thousands of people some are there. 0 below.
-#}
{%- macro evidence_of_excess(distance) -%}
    case when {{ distance }} > 2 then {{ distance }} * {{ distance }} / 2 - 2 else 0 end
{%- endmacro -%}
