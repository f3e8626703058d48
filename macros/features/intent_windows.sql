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


{#- Views and adds of each customer by one column of int_intent__events. -#}
{%- macro intent_by(column, thing) -%}
with events as (
    select * from {{ ref('int_intent__events') }}
    where
        event_name in ('Product Viewed', 'Product Added')
        and product_id is not null
)

select
    -- keys
    customer_id,
    {{ column }},
    as_of_at,
    '{{ feature_basis() }}' as identity_basis,
    -- counts
    {{ intent_counts(thing) }}
from events
group by customer_id, {{ column }}, as_of_at
{%- endmacro -%}
