-- At which as-of dates each rule can say something, and why it cannot at the others.

{%- set needs = [] -%}
{%- if execute -%}
    {%- for name in rule_segments() -%}
        {%- set segment = graph.nodes['model.' ~ project_name ~ '.' ~ name].config.meta.segment -%}
        {%- for source in (segment.needs or {}).get('sources', []) -%}
            {%- do needs.append((name[4:], source)) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endif %}

-- noqa: disable=LT02
with rules as (
    select * from {{ ref('int_segments__rules') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current or is_scheduled or is_asked_for
),

history as (
    select * from {{ ref('int_as_of_history') }}
    where source = 'orders'
),

needed_sources as (
    {% for key, source in needs -%}
        select
            '{{ key }}' as segment_key,
            '{{ source }}' as source
        {{ 'union all' if not loop.last }}
    {% else -%}
        select
            'none' as segment_key,
            'none' as source
        where 1 = 0
    {% endfor -%}
),

missing_sources as (
    select
        needed_sources.segment_key,
        sources.as_of_date,
        min(sources.missing_reason) as missing_reason
    from needed_sources
    inner join {{ ref('int_as_of_sources') }} as sources on needed_sources.source = sources.source
    where sources.missing_reason is not null
    group by needed_sources.segment_key, sources.as_of_date
),

scored as (
    select
        model_name,
        as_of_date
    from {{ ref('int_scores__scores') }}
    group by model_name, as_of_date
)

select
    -- keys
    rules.segment_key,
    as_of_dates.as_of_date,
    -- why not
    case
        when rules.threshold_not_named is not null
            then 'nothing is named in the settings: ' || rules.threshold_not_named
        when missing_sources.missing_reason is not null then missing_sources.missing_reason
        when history.history_days < rules.needed_history_days
            then
                'it needs ' || rules.needed_history_days || ' days of orders, and there are ' || history.history_days
        when rules.needed_score is not null and scored.as_of_date is null
            then 'there is no score ' || rules.needed_score || ' of this date'
    end as missing_reason
from rules
cross join as_of_dates
inner join history on as_of_dates.as_of_date = history.as_of_date
left join missing_sources
    on
        rules.segment_key = missing_sources.segment_key
        and as_of_dates.as_of_date = missing_sources.as_of_date
left join scored
    on
        rules.needed_score = scored.model_name
        and as_of_dates.as_of_date = scored.as_of_date
