{#- What each rule segment is called and for, from the config beside its SQL, with the thresholds in force. -#}
{%- set segments = [] -%}
{%- if execute -%}
    {%- for name in rule_segments() -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.' ~ name] -%}
        {%- do segments.append((name, dict(node.config.meta.segment, name=segment_name(name, node.config.meta.segment)))) -%}
    {%- endfor -%}
{%- endif -%}

with clusters as (
    select * from {{ ref('int_scores__cluster_profiles') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

rules as (
    {% for name, segment in segments %}
        select
            '{{ name[4:] }}' as segment_key,
            {{ sql_text(segment.name) }} as segment_name,
            {{ sql_text(with_thresholds(segment.description)) }} as description,
            {{ sql_text(segment.suggested_action) }} as suggested_action,
            {{ sql_text(segment.owner) }} as owner,
            {{ segment.priority }} as priority,
            {{ sql_text(segment.parent[4:]) if segment.parent else 'null' }} as parent_segment_key
        {{ 'union all' if not loop.last }}
    {% else %}
        select
            'none' as segment_key,
            'none' as segment_name,
            'none' as description,
            'none' as suggested_action,
            'none' as owner,
            0 as priority,
            null as parent_segment_key
        where 1 = 0
    {% endfor %}
),

-- A profile has one row a feature; the cluster itself is the same in all of them.
current_clusters as (
    select
        clusters.cluster_key,
        min(clusters.cluster_name) as cluster_name,
        min(clusters.cluster_description) as cluster_description
    from clusters
    inner join as_of_dates on clusters.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_current
    group by clusters.cluster_key
)

select
    -- keys
    segment_key,
    cast(parent_segment_key as varchar) as parent_segment_key,
    -- what it is
    segment_name,
    'rule' as segment_type,
    description,
    suggested_action,
    owner,
    cast(priority as integer) as priority
from rules
union all
select
    'cluster_' || cluster_key as segment_key,
    cast(null as varchar) as parent_segment_key,
    cluster_name as segment_name,
    'cluster' as segment_type,
    cluster_description as description,
    'Read the profile before acting: a cluster describes, it does not say why.' as suggested_action,
    'data team' as owner,
    cast(100 as integer) as priority
from current_clusters
