-- What people decided about pairs of records, as it stands: the newest decision on a pair that was not undone.

with decisions as (
    select * from {{ source('ledger', 'identity_decisions') }}
),

undone as (
    select undoes as decision_id from decisions
    where verdict = 'undo'
    group by undoes
),

keyed as (
    select
        decisions.*,
        {{ stable_hash(['left_source_system', 'left_source_record_id']) }} as first_record_key,
        {{ stable_hash(['right_source_system', 'right_source_record_id']) }} as second_record_key
    from decisions
    left join undone on decisions.decision_id = undone.decision_id
    where
        decisions.verdict in ('same', 'not same')
        and undone.decision_id is null
),

ranked as (
    select
        *,
        row_number() over (
            partition by least(first_record_key, second_record_key), greatest(first_record_key, second_record_key)
            order by decided_at desc, decision_id desc
        ) as decision_rank
    from keyed
)

select
    -- keys
    decision_id,
    least(first_record_key, second_record_key) as left_record_key,
    greatest(first_record_key, second_record_key) as right_record_key,
    -- what
    verdict,
    reason,
    -- who and when
    decided_by,
    decided_at
from ranked
where decision_rank = 1
