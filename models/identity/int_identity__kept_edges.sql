-- The edges that hold the customers together: those of components as they are, and of divided ones new stars within
-- each part, because the center of an old star may be in another part.

with edges as (
    select * from {{ ref('int_identity__edges') }}
    where {{ is_among('int_identity__touched_records', 'left_number', 'record_number') }}
),

clusters as (
    select * from {{ ref('int_identity__clusters') }}
    where {{ is_among('int_identity__touched_records', 'record_number') }}
),

divided as (
    select component_number from {{ ref('int_identity__parts') }}
    group by component_number
    having count(distinct part_number) > 1
),

located as (
    select
        edges.*,
        clusters.component_number,
        divided.component_number is not null as is_divided
    from edges
    inner join clusters on edges.left_number = clusters.record_number
    left join divided on clusters.component_number = divided.component_number
),

ends as (
    select
        match_rule,
        match_confidence,
        evidence,
        left_number as record_number,
        left_known_at as known_at
    from located
    where is_divided
    union
    select
        match_rule,
        match_confidence,
        evidence,
        right_number as record_number,
        known_at
    from located
    where is_divided
),

centered as (
    select
        ends.*,
        first_value(ends.record_number) over known_first as center_number
    from ends
    inner join clusters on ends.record_number = clusters.record_number
    window known_first as (
        partition by ends.match_rule, ends.evidence, clusters.cluster_number
        order by ends.known_at, ends.record_number
    )
)

select
    -- keys
    left_number,
    right_number,
    -- why
    match_rule,
    match_confidence,
    evidence,
    -- when
    known_at
from located
where not is_divided
union all
select
    center_number as left_number,
    record_number as right_number,
    match_rule,
    match_confidence,
    evidence,
    known_at
from centered
where record_number <> center_number
