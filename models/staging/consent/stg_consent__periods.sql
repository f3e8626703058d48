with events as (
    select * from {{ ref('stg_consent__events') }}
),

-- Of a grant and a withdrawal at one instant the withdrawal counts: in doubt nobody is written to.
moments as (
    select
        source_system,
        source_record_id,
        purpose,
        occurred_at,
        min(case when consent_action = 'granted' then 1 else 0 end) = 1 as is_granted,
        min(known_at) as known_at
    from events
    group by source_system, source_record_id, purpose, occurred_at
),

compared as (
    select
        *,
        lag(is_granted) over history as was_granted
    from moments
    window history as (
        partition by source_system, source_record_id, purpose
        order by occurred_at
    )
),

changes as (
    select * from compared
    where is_granted is distinct from was_granted
)

select
    -- keys
    source_system,
    source_record_id,
    purpose,
    -- state
    is_granted,
    -- times
    occurred_at as valid_from,
    lead(occurred_at) over history as valid_to,
    lead(occurred_at) over history is null as is_current,
    known_at
from changes
window history as (
    partition by source_system, source_record_id, purpose
    order by occurred_at
)
