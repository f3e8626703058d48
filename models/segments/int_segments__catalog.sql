-- What each segment is called and for: the rules, and the clusters of now.

with rules as (
    select * from {{ ref('int_segments__rules') }}
),

rule_dates as (
    select * from {{ ref('int_segments__rule_dates') }}
),

clusters as (
    select * from {{ ref('int_scores__clusters') }}
),

cluster_members as (
    select * from {{ ref('int_scores__customer_clusters') }}
),

evaluations as (
    select * from {{ ref('int_segments__evaluations') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

cluster_names as (
    select
        'cluster_' || cluster_key as segment_key,
        {{ newest_value('cluster_name', by='as_of_date') }} as cluster_name
    from cluster_members
    group by cluster_key
),

-- segments that were, and of which the history tells: rules that were taken out, clusters that died
ended as (
    select
        segment_key,
        min(segment_type) as segment_type,
        {{ newest_value('definition_hash', by='as_of_date') }} as definition_hash,
        max(as_of_date) as last_as_of_date
    from evaluations
    where
        segment_key not in (select rules.segment_key from rules)
        and segment_key not in (select 'cluster_' || clusters.cluster_key from clusters)
    group by segment_key
)

select
    -- keys
    rules.segment_key,
    rules.parent_segment_key,
    -- what it is
    rules.segment_name,
    'rule' as segment_type,
    rules.description,
    rules.suggested_action,
    rules.owner,
    rules.priority,
    -- definition
    rules.threshold_form,
    rules.has_two_forms,
    rules.definition_hash,
    rules.min_members,
    rule_dates.missing_reason
from rules
inner join rule_dates on rules.segment_key = rule_dates.segment_key
inner join as_of_dates on rule_dates.as_of_date = as_of_dates.as_of_date
union all
select
    'cluster_' || clusters.cluster_key as segment_key,
    'cluster_' || clusters.parent_cluster_key as parent_segment_key,
    clusters.cluster_name as segment_name,
    'cluster' as segment_type,
    clusters.cluster_description as description,
    'Read the card before acting: a cluster describes, it does not say why.' as suggested_action,
    'data team' as owner,
    -- after all rules, and the broad ones first
    cast(case clusters.level when 'broad' then 1000 else 1100 end as integer) as priority,
    cast(null as varchar) as threshold_form,
    false as has_two_forms,
    clusters.model_version as definition_hash,
    cast(clusters.size_floor as integer) as min_members,
    cast(null as varchar) as missing_reason
from clusters
union all
select
    ended.segment_key,
    cast(null as varchar) as parent_segment_key,
    coalesce(cluster_names.cluster_name, ended.segment_key) || ' (ended, ' || ended.segment_key || ')' as segment_name,
    ended.segment_type,
    'Was evaluated for the last time as of ' || ended.last_as_of_date || '.' as description,
    'None: it is there for its history.' as suggested_action,
    'data team' as owner,
    cast(9999 as integer) as priority,
    cast(null as varchar) as threshold_form,
    false as has_two_forms,
    ended.definition_hash,
    cast(0 as integer) as min_members,
    'it ended: the last evaluation is of ' || ended.last_as_of_date as missing_reason
from ended
left join cluster_names on ended.segment_key = cluster_names.segment_key
