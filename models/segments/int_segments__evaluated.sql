-- Who fulfils each rule, by either form of its thresholds, at the dates at which rules are evaluated.

-- noqa: disable=LT02
{% for segment in rule_segments() -%}
    select
        customer_id,
        '{{ segment[4:] }}' as segment_key,
        as_of_date,
        threshold_form
    from {{ ref(segment).include(database=false) }}
    {{ 'union all' if not loop.last }}
{% else -%}
    select
        cast(null as varchar) as customer_id,
        cast(null as varchar) as segment_key,
        cast(null as date) as as_of_date,
        cast(null as varchar) as threshold_form
    where 1 = 0
{% endfor -%}
