-- Each event that can be used counts in one session: the two tables are built by different increments.
with events as (
    select count(*) as event_count
    from {{ ref('base_web__events') }}
    where reject_reason is null
),

sessions as (
    select coalesce(sum(event_count), 0) as event_count
    from {{ ref('stg_web__sessions') }}
)

select
    events.event_count,
    sessions.event_count as event_count_of_sessions
from events
cross join sessions
where events.event_count <> sessions.event_count
