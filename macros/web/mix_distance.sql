{#-
    How far a row's counts by kind of event (`<kind>_count`, of `total` events) lie from a usual mix (`<mix>_<kind>`, a
    share each), in nats an event: the Kullback-Leibler divergence, less what chance alone adds (Miller and Madow).
-#}
{%- macro mix_distance(total, mix) -%}
    (
        (
            {%- for kind in web_event_kinds() %}
            {{ '+ ' if not loop.first }}case
                when {{ kind }}_count > 0
                    then {{ kind }}_count * ln({{ kind }}_count / ({{ total }} * {{ mix }}_{{ kind }}))
                else 0
            end
            {%- endfor %}
        ) / {{ total }}
        - (
            {%- for kind in web_event_kinds() %}
            {{ '+ ' if not loop.first }}case when {{ kind }}_count > 0 then 1 else 0 end
            {%- endfor %} - 1
        ) / (2.0 * {{ total }})
    )
{%- endmacro -%}
