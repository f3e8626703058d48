-- What landed again without news is no version: a card goes from one to the next where something else is told.

-- noqa: disable=LT02,LT05
with members as (
    select
        *,
        coalesce(occurred_at, known_at) as valid_from,
        {{ to_json_object(demographics() + ['occurred_at']) }} as content
    from {{ ref('base_loyalty__members') }}
    where
        reject_reason is null
        or reject_reason in ('{{ routine_reasons() | join("', '") }}')
),

followed as (
    select
        *,
        lag(content) over (partition by loyalty_id order by known_at, load_id, content) as content_before
    from members
)

select
    -- keys
    loyalty_id,
    load_id,
    -- demographics
    {{ demographics() | join(',\n    ') }},
    -- times
    valid_from,
    known_at
from followed
where
    content_before is null
    or content <> content_before
