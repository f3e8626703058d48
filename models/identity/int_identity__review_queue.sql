-- What a person should look at: groups that could not be one customer and were divided, or kept with a conflict, and
-- pairs that the linkage model holds for possible but not for certain. `python -m orchestration identity` decides.

with clusters as (
    select * from {{ ref('int_identity__clusters') }}
    where suspect_reason is not null
),

customers as (
    select
        source_record_key,
        customer_id
    from {{ ref('master_customer_index') }}
    where valid_to is null
),

matches as (
    select * from {{ source('ml', 'identity_matches') }}
    where match_probability < {{ setting('identity.linkage.min_probability') }}
),

decisions as (
    select * from {{ ref('int_identity__decisions') }}
),

parts as (
    select
        clusters.component_number,
        clusters.suspect_reason,
        count(distinct clusters.cluster_number) as part_count,
        count(*) as record_count,
        min(customers.customer_id) as customer_id,
        max(customers.customer_id) as other_customer_id
    from clusters
    inner join customers on clusters.source_record_key = customers.source_record_key
    group by clusters.component_number, clusters.suspect_reason
)

select
    -- what
    case when part_count > 1 then 'divided' else 'kept with a conflict' end as review_kind,
    suspect_reason as reason,
    -- who
    customer_id,
    case when part_count > 1 then other_customer_id end as other_customer_id,
    cast(null as varchar) as left_record_key,
    cast(null as varchar) as right_record_key,
    -- how much
    cast(part_count as integer) as part_count,
    cast(record_count as integer) as record_count,
    cast(null as double) as match_probability
from parts
-- a decision needs no review
where suspect_reason <> 'decided: not the same'
union all
select
    'possible match' as review_kind,
    'the linkage model is not certain' as reason,
    left_customers.customer_id,
    right_customers.customer_id as other_customer_id,
    matches.left_record_key,
    matches.right_record_key,
    2 as part_count,
    2 as record_count,
    matches.match_probability
from matches
inner join customers as left_customers on matches.left_record_key = left_customers.source_record_key
inner join customers as right_customers on matches.right_record_key = right_customers.source_record_key
left join decisions
    on
        matches.left_record_key = decisions.left_record_key
        and matches.right_record_key = decisions.right_record_key
where
    left_customers.customer_id <> right_customers.customer_id
    and decisions.decision_id is null
