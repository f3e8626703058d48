-- What had been observed before each as-of date, source by source: a window that reaches further back than the first
-- row of a source says nothing, and neither does a source that never landed.

{%- set sources = {
    'orders': ('int_activity__orders', 'order_date'),
    'web': ('int_activity__web_sessions', 'day'),
    'mail': ('int_activity__mails', 'day'),
} %}

-- noqa: disable=LT02
with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

first_days as (
    {% for source, (model, day) in sources.items() -%}
        select
            '{{ source }}' as source,
            min({{ day }}) as first_day,
            max({{ day }}) as last_day
        from {{ ref(model) }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
)

select
    -- keys
    as_of_dates.as_of_date,
    first_days.source,
    -- what was observed
    cast(greatest(as_of_dates.as_of_date - first_days.first_day, 0) as integer) as history_days,
    first_days.last_day,
    case
        when first_days.first_day is null then 'nothing of it has landed'
        when first_days.first_day >= as_of_dates.as_of_date then 'its first row is of ' || first_days.first_day
    end as reason
from as_of_dates
cross join first_days
