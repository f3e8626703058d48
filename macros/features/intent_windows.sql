{#- How far back intent looks from its instant, in seconds. -#}
{%- macro intent_windows() -%}
    {{ return({'10m': 600, '30m': 1800, '1h': 3600, '24h': 86400, '48h': 172800, '7d': 604800}) }}
{%- endmacro -%}


{#- The columns of an intent table that count views and adds over all windows, of rows of int_intent__events. -#}
{%- macro intent_counts(thing) -%}
    {%- for window, seconds in intent_windows().items() -%}
        {%- for name, event in {'view': 'Product Viewed', 'add': 'Product Added'}.items() -%}
            cast(count(*) filter (where event_name = '{{ event }}' and seconds_before <= {{ seconds }}) as integer)
                as {{ thing }}_{{ name }}_count_{{ window }}{{ ',' if not loop.last }}
        {% endfor -%}
        {{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}
