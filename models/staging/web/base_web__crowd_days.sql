{#-
    Visitors who pass at one place, taken together: what no one of them gives away, all together may. A place is a browser
    at an address, an address, or a network; the wider one counts only where it holds more than one of the narrower.
-#}
{%- set is_increment = is_incremental() -%}
{%- set kinds = web_event_kinds() -%}
{%- set bots = setting_value('web.bots') or {} -%}
{%- set places = [
    ('actor', 'actor_key', 'actor_key'),
    ('address', 'address_key', 'actor_key'),
    ('network', 'network_key', 'address_key'),
] -%}

-- noqa: disable=LT02
with passing as {{ kept() }} (
    select *
    from {{ ref('base_web__visitor_days') }}
    where
        declared_name is null
        and not is_identified
        and not has_order
        and actor_key is not null
        and event_count <= {{ bots.passing_events }}
        {%- if is_increment %}
        and event_date in ({{ days_with_new_events(ref('base_web__visitor_days')) }})
        {%- endif %}
),

crowds as {{ kept() }} (
    {%- for place, key, part in places %}
    select
        '{{ place }}' as place_type,
        {{ key }} as place_key,
        event_date
    from passing
    group by {{ key }}, event_date
    having
        count(*) >= {{ bots.crowd_visitors }}
        and sum(event_count) >= {{ bots.crowd_events }}
        {%- if part != key %}
        and min({{ part }}) < max({{ part }})
        {%- endif %}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

members as (
    {%- for place, key, _ in places %}
    select
        crowds.place_type,
        crowds.place_key,
        passing.*
    from crowds
    inner join passing on crowds.place_key = passing.{{ key }} and crowds.event_date = passing.event_date
    where crowds.place_type = '{{ place }}'
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

in_turn as (
    select
        *,
        max(last_event_at) over (
            partition by place_type, place_key, event_date
            order by first_event_at, last_event_at
            rows between unbounded preceding and 1 preceding
        ) as others_until,
        {{ milliseconds_between(
            'lag(first_event_at) over (partition by place_type, place_key, event_date order by first_event_at)',
            'first_event_at'
        ) }} as arrival_ms
    from members
),

arrivals as (
    select
        *,
        case when arrival_ms is not null then {{ log_of_pause('greatest(arrival_ms, 500)') }} end as arrival_log
    from in_turn
)

select
    -- keys
    place_type,
    place_key,
    event_date,
    -- who passes
    cast(count(*) as integer) as visitor_count,
    cast(sum(event_count) as integer) as event_count,
    {%- for kind in kinds %}
    cast(sum({{ kind }}_count) as integer) as {{ kind }}_count,
    {%- endfor %}
    -- how they meet
    min(first_event_at) as first_event_at,
    max(last_event_at) as last_event_at,
    cast(sum({{ milliseconds_between('first_event_at', 'last_event_at') }}) as bigint) as stay_ms,
    cast(count(*) filter (where first_event_at < others_until) as integer) as meeting_count,
    cast(count(arrival_log) as integer) as arrival_count,
    coalesce(cast(sum(arrival_log) as bigint), 0) as arrival_log_sum,
    coalesce(cast(sum(arrival_log * arrival_log) as bigint), 0) as arrival_log_square_sum
from arrivals
group by place_type, place_key, event_date
