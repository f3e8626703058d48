-- Pairs of segments that could be one, with the evidence: more than 80% of either in the other, or, for clusters,
-- members who behaved alike afterwards. What is declared as a part of the other is meant to lie in it.

with pairs as (
    select * from {{ ref('int_segments__overlaps') }}
),

catalog as (
    select * from {{ ref('int_segments__catalog') }}
),

sizes as (
    select * from {{ ref('int_segments__sizes') }}
    where status = 'ok'
),

hierarchy as (
    select * from {{ ref('int_segments__hierarchy') }}
),

clusters as (
    select * from {{ ref('int_scores__cluster_merge_proposals') }}
    where is_proposed
),

shared as (
    select
        pairs.segment_key,
        pairs.other_segment_key,
        pairs.shared_count,
        least(pairs.share_of_segment, others.share_of_segment) as share_of_larger
    from pairs
    inner join pairs as others
        on
            pairs.segment_key = others.other_segment_key
            and pairs.other_segment_key = others.segment_key
    inner join sizes on pairs.segment_key = sizes.segment_key
    inner join sizes as other_sizes on pairs.other_segment_key = other_sizes.segment_key
    left join hierarchy as above
        on
            pairs.segment_key = above.segment_key
            and pairs.other_segment_key = above.ancestor_segment_key
    left join hierarchy as below
        on
            pairs.other_segment_key = below.segment_key
            and pairs.segment_key = below.ancestor_segment_key
    where
        pairs.segment_key < pairs.other_segment_key
        and above.segment_key is null
        and below.segment_key is null
)

select
    -- keys
    shared.segment_key,
    shared.other_segment_key,
    -- why
    'share their members' as reason,
    shared.share_of_larger,
    cast(round(100 * shared.share_of_larger) as integer) || '% of the members of the larger one are in both ('
    || shared.shared_count || ' customers)' as evidence
from shared
where shared.share_of_larger > 0.8
union all
select
    'cluster_' || clusters.left_key as segment_key,
    'cluster_' || clusters.right_key as other_segment_key,
    clusters.reason,
    clusters.shared_share as share_of_larger,
    clusters.evidence
from clusters
inner join catalog on catalog.segment_key = 'cluster_' || clusters.left_key
inner join catalog as others on others.segment_key = 'cluster_' || clusters.right_key
