-- Which segments are made in this build, at which as-of dates. What was said of a date of the past stands: it is on
-- record in the ledger or in the table that the last build left. Made are the current date, and what nobody has said
-- anything about yet: all of the past at first, and the past of a segment that is new. What is no longer said of now
-- goes; of the past it stays. Clusters have a ledger of their own; what comes back from there is taken as it is.

{%- set standing = beside(this, 'int_segments__evaluations') %}
{%- set stands = execute and not should_full_refresh()
    and load_relation(standing) is not none
    and load_relation(beside(this, 'int_segments__history')) is not none %}

-- noqa: disable=LT02
with rule_dates as (
    select * from {{ ref('int_segments__rule_dates') }}
),

rules as (
    select * from {{ ref('int_segments__rules') }}
),

clusters as (
    select * from {{ ref('int_scores__customer_clusters') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

now as (
    select as_of_date from as_of_dates
    where is_current
),

wanted as (
    select
        rule_dates.segment_key,
        rule_dates.as_of_date,
        'rule' as segment_type,
        rules.definition_hash,
        rule_dates.as_of_date < now.as_of_date as is_reconstructed
    from rule_dates
    inner join rules on rule_dates.segment_key = rules.segment_key
    cross join now
    where rule_dates.missing_reason is null
    union all
    select
        'cluster_' || cluster_key as segment_key,
        as_of_date,
        'cluster' as segment_type,
        min(model_version) as definition_hash,
        min(case when is_reconstructed then 1 else 0 end) = 1 as is_reconstructed
    from clusters
    group by cluster_key, as_of_date
),

recorded as (
    {{ newest_evaluations() }}
),

standing as (
    {% if stands -%}
        select * from {{ standing }}
        where segment_type = 'rule'
    {%- else -%}
        select * from recorded
        where 1 = 0
    {%- endif %}
),

pairs as (
    select
        segment_key,
        as_of_date
    from wanted
    union
    select
        recorded.segment_key,
        recorded.as_of_date
    from recorded
    inner join now on recorded.as_of_date < now.as_of_date
    union
    select
        standing.segment_key,
        standing.as_of_date
    from standing
    inner join now on standing.as_of_date < now.as_of_date
),

placed as (
    select
        pairs.segment_key,
        pairs.as_of_date,
        wanted.segment_key is not null
        and (
            wanted.segment_type = 'cluster'
            or pairs.as_of_date = now.as_of_date
            -- what only stands was never published: it holds as long as it would be said again
            or (recorded.segment_key is null and coalesce(standing.definition_hash, '') <> wanted.definition_hash)
        ) as is_evaluated
    from pairs
    cross join now
    left join wanted
        on
            pairs.segment_key = wanted.segment_key
            and pairs.as_of_date = wanted.as_of_date
    left join recorded
        on
            pairs.segment_key = recorded.segment_key
            and pairs.as_of_date = recorded.as_of_date
    left join standing
        on
            pairs.segment_key = standing.segment_key
            and pairs.as_of_date = standing.as_of_date
)

select
    -- keys
    placed.segment_key,
    placed.as_of_date,
    -- where it comes from: made now, read from the ledger (right where the table says something else), or there
    placed.is_evaluated,
    not placed.is_evaluated
    and recorded.segment_key is not null
    and coalesce(recorded.members_hash, '') <> coalesce(standing.members_hash, '') as is_from_ledger,
    -- what it is
    case
        when placed.is_evaluated then wanted.segment_type
        else coalesce(recorded.segment_type, standing.segment_type)
    end as segment_type,
    case
        when placed.is_evaluated then wanted.definition_hash
        else coalesce(recorded.definition_hash, standing.definition_hash)
    end as definition_hash,
    case
        when placed.is_evaluated and wanted.segment_type = 'cluster' then wanted.is_reconstructed
        else coalesce(recorded.is_reconstructed, standing.is_reconstructed, wanted.is_reconstructed)
    end as is_reconstructed
from placed
left join wanted
    on
        placed.segment_key = wanted.segment_key
        and placed.as_of_date = wanted.as_of_date
left join recorded
    on
        placed.segment_key = recorded.segment_key
        and placed.as_of_date = recorded.as_of_date
left join standing
    on
        placed.segment_key = standing.segment_key
        and placed.as_of_date = standing.as_of_date
