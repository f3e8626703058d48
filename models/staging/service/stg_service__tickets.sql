with versions as (
    select
        *,
        row_number() over history as version_rank,
        min(occurred_at) over whole_history as opened_at,
        min(known_at) over whole_history as first_known_at,
        count(*) over whole_history as version_count
    from {{ ref('base_service__tickets') }}
    where reject_reason is null
    window
        history as (
            partition by ticket_id
            order by known_at desc
        ),
        whole_history as (partition by ticket_id)
),

current_versions as (
    select
        *,
        {{ normalize_email('email') }} as plain_email
    from versions
    where version_rank = 1
),

judged as (
    select
        *,
        {{ is_email('plain_email') }} as email_is_valid,
        solved_at < opened_at or {{ is_after_its_arrival('solved_at') }}
            as solved_at_is_impossible,
        satisfaction not between 1 and 5 as satisfaction_is_impossible
    from current_versions
)

select
    -- keys
    ticket_id,
    contact_id,
    loyalty_id,
    order_id,
    load_id,
    -- who wrote
    case when email_is_valid then plain_email end as email,
    case when email_is_valid then {{ email_key('plain_email') }} end as email_key,
    -- what it is
    channel,
    category,
    priority,
    ticket_status,
    case when not satisfaction_is_impossible then satisfaction end as satisfaction,
    version_count,
    -- what is wrong with it
    nullif(concat_ws(
        ', ',
        case when not email_is_valid then 'email_invalid' end,
        case when solved_at_is_impossible then 'solved_at_impossible' end,
        case when satisfaction_is_impossible then 'satisfaction_out_of_range' end,
        case when ticket_status not in ('open', 'solved') then 'status_unknown' end,
        case when ticket_status = 'solved' and solved_at is null then 'solved_without_time' end
    ), '') as problems,
    -- times
    opened_at,
    case when not solved_at_is_impossible then solved_at end as solved_at,
    first_known_at,
    known_at
from judged
