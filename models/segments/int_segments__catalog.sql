-- What each segment is called and for: the rules, and the clusters of now.

with rules as (
    select * from {{ ref('int_segments__rules') }}
),

rule_dates as (
    select * from {{ ref('int_segments__rule_dates') }}
),

clusters as (
    select * from {{ ref('int_scores__cluster_profiles') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

-- A profile has one row a feature; the cluster itself is the same in all of them.
current_clusters as (
    select
        clusters.cluster_key,
        min(clusters.model_version) as model_version,
        min(clusters.cluster_name) as cluster_name,
        min(clusters.cluster_description) as cluster_description
    from clusters
    inner join as_of_dates on clusters.as_of_date = as_of_dates.as_of_date
    group by clusters.cluster_key
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
    'cluster_' || cluster_key as segment_key,
    cast(null as varchar) as parent_segment_key,
    cluster_name as segment_name,
    'cluster' as segment_type,
    cluster_description as description,
    'Read the profile before acting: a cluster describes, it does not say why.' as suggested_action,
    'data team' as owner,
    cast(1000 as integer) as priority,
    cast(null as varchar) as threshold_form,
    false as has_two_forms,
    model_version as definition_hash,
    cast({{ setting('models.clusters.min_members') }} as integer) as min_members,
    cast(null as varchar) as missing_reason
from current_clusters
