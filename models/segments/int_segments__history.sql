{{ config(materialized='incremental', incremental_strategy='replace_evaluated', on_schema_change='fail') }}

-- Who was in which segment at each as-of date, as it was said then. What is on record stands; the dates that this build
-- evaluates come to it.

with due as (
    select * from {{ ref('int_segments__due') }}
),

rules as (
    select * from {{ ref('int_segments__rules') }}
),

evaluated as (
    select * from {{ ref('int_segments__evaluated') }}
),

clusters as (
    select * from {{ ref('int_scores__customer_clusters') }}
),

recorded as (
    {{ newest_evaluations() }}
),

lines as (
    select * from {{ source('ledger', 'segment_memberships') }}
)

select
    -- keys
    evaluated.customer_id,
    evaluated.segment_key,
    evaluated.as_of_date
from evaluated
inner join rules
    on
        evaluated.segment_key = rules.segment_key
        and evaluated.threshold_form = rules.threshold_form
inner join due
    on
        evaluated.segment_key = due.segment_key
        and evaluated.as_of_date = due.as_of_date
where due.is_evaluated
union all
select
    clusters.customer_id,
    'cluster_' || clusters.cluster_key as segment_key,
    clusters.as_of_date
from clusters
inner join due
    on
        due.segment_key = 'cluster_' || clusters.cluster_key
        and clusters.as_of_date = due.as_of_date
where due.is_evaluated
union all
select
    lines.customer_id,
    lines.segment_key,
    lines.as_of_date
from lines
inner join recorded
    on
        lines.segment_key = recorded.segment_key
        and lines.as_of_date = recorded.as_of_date
        and lines.promotion_number = recorded.promotion_number
inner join due
    on
        lines.segment_key = due.segment_key
        and lines.as_of_date = due.as_of_date
where due.is_from_ledger
