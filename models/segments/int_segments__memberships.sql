with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

clusters as (
    select * from {{ ref('int_scores__customer_clusters') }}
),

rule_members as (
    {% for segment in rule_segments() %}
        select
            customer_id,
            '{{ segment[4:] }}' as segment_key,
            as_of_date
        from {{ ref(segment) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    -- keys
    customer_id,
    segment_key,
    as_of_date,
    -- what it is
    'rule' as segment_type
from rule_members
union all
select
    clusters.customer_id,
    'cluster_' || clusters.cluster_key as segment_key,
    clusters.as_of_date,
    'cluster' as segment_type
from clusters
inner join as_of_dates on clusters.as_of_date = as_of_dates.as_of_date
where as_of_dates.is_current
