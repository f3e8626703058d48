{#-
    How far a row's counts by kind of event (`<kind>_count`, of `total` events) lie from a usual mix, in nats an event: the
    Kullback-Leibler divergence, less what chance alone adds (Miller and Madow). The row brings kind_count and kind_log_sum;
    the mix is given as logarithms of shares, `<mix>_<kind>_log`: one multiplication a kind, for every row is measured.
-#}
{%- macro mix_distance(total, mix) -%}
    (
        kind_log_sum
        {%- for kind in web_event_kinds() %}
        - {{ kind }}_count * {{ mix }}_{{ kind }}_log
        {%- endfor %}
        - (kind_count - 1) / 2.0
    ) / {{ total }} - ln({{ total }})
{%- endmacro -%}


{#- How many kinds of events a row has, and the sum of n ln(n) over their counts. -#}
{%- macro kind_count(prefix='') -%}
    cast({% for kind in web_event_kinds() -%}
        case when {{ prefix }}{{ kind }}_count > 0 then 1 else 0 end{{ ' + ' if not loop.last }}
    {%- endfor %} as smallint)
{%- endmacro -%}


{%- macro kind_log_sum(prefix='') -%}
    {% for kind in web_event_kinds() -%}
        {%- set count = prefix ~ kind ~ '_count' -%}
        case when {{ count }} > 1 then {{ count }} * ln({{ count }}) else 0 end{{ ' + ' if not loop.last }}
    {%- endfor %}
{%- endmacro -%}
