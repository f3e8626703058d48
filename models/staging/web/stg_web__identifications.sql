{%- set is_increment = is_incremental() -%}

-- noqa: disable=LT02
with named as (
    select
        {{ stable_hash(['anonymous_id', "coalesce(user_id, '')", "coalesce(email, '')"]) }} as identification_key,
        anonymous_id,
        user_id,
        email,
        min(event_at) as first_seen_at,
        max(event_at) as last_seen_at,
        min(received_at) as first_known_at,
        min(load_sequence) as first_load_sequence,
        count(*) as event_count
    from {{ ref('base_web__events') }}
    where
        reject_reason is null
        and (user_id is not null or email is not null)
        {%- if is_increment %}
        and load_sequence > {{ read_note(this).through }}
        {%- endif %}
    group by anonymous_id, user_id, email
),

merged as (
    select * from named
    {%- if is_increment %}
    union all
    select
        identification_key,
        anonymous_id,
        user_id,
        email,
        first_seen_at,
        last_seen_at,
        first_known_at,
        first_load_sequence,
        event_count
    from {{ this }}
    where identification_key in (select identification_key from named)
    {%- endif %}
)

select
    -- keys
    identification_key,
    anonymous_id,
    user_id,
    email,
    -- times
    min(first_seen_at) as first_seen_at,
    max(last_seen_at) as last_seen_at,
    min(first_known_at) as first_known_at,
    -- order of arrival
    min(first_load_sequence) as first_load_sequence,
    -- counts
    cast(sum(event_count) as bigint) as event_count
from merged
group by identification_key, anonymous_id, user_id, email
