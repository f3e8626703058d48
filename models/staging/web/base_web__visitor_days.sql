{%- set is_increment = is_incremental() -%}
{%- set kinds = web_event_kinds() -%}
{%- set bots = setting_value('web.bots') or {} -%}
{%- set idle_ms = 60000 * (setting_value('web.session_idle_minutes') or 0) -%}
{#- Two events of one click, or a tracker that sends pairs, are no pause. -#}
{%- set shortest_pause_ms = 500 -%}
{#- A step that takes longer is a break. -#}
{%- set longest_step_ms = 120000 -%}

-- noqa: disable=LT02
with
{%- if is_increment %}
touched as {{ kept() }} (
    select {{ fast_hash(['anonymous_id']) }} as visitor_key
    from {{ ref('base_web__events') }}
    where reject_reason is null and load_sequence > {{ read_note(this).through }}
    group by 1
),
{%- endif %}

events as {{ inlined() }} (
    select
        {{ fast_hash(['anonymous_id']) }} as visitor_key,
        event_date,
        event_at,
        anonymous_id,
        load_sequence,
        user_id,
        event_name,
        page_path,
        product_id,
        user_agent,
        ip_address,
        {{ fast_hash(['user_agent']) }} as agent_key,
        {{ web_event_kind() }} as kind
    from {{ ref('base_web__events') }}
    where
        reject_reason is null
        {%- if is_increment %}
        and event_date in ({{ days_with_new_events(ref('base_web__events'), 'reject_reason is null') }})
        and {{ fast_hash(['anonymous_id']) }} in (select visitor_key from touched)
        {%- endif %}
),

agents as (
    select
        agent_key,
        user_agent
    from events
    where user_agent is not null
    group by agent_key, user_agent
),

named_agents as (
    select
        agents.agent_key,
        known.name,
        row_number() over (
            partition by agents.agent_key
            order by case when known.kind = 'unknown' then 1 else 0 end, length(known.pattern) desc, known.pattern
        ) as name_number
    from agents
    inner join {{ ref('bot_user_agents') }} as known on contains(lower(agents.user_agent), known.pattern)
),

declared_agents as {{ kept() }} (
    select
        agent_key,
        name
    from named_agents
    where name_number = 1
),

counts as {{ kept() }} (
    select
        events.visitor_key,
        events.event_date,
        min(events.anonymous_id) as anonymous_id,
        max(events.load_sequence) as load_sequence,
        min(declared_agents.name) as declared_name,
        min(events.agent_key) as agent_key,
        max(events.agent_key) as last_agent_key,
        min(events.ip_address) as ip_address,
        max(events.ip_address) as last_ip_address,
        count(events.user_id) > 0 as is_identified,
        count(*) filter (where events.event_name = 'Order Completed') as order_count,
        min(events.event_at) as first_event_at,
        max(events.event_at) as last_event_at,
        count(*) as event_count,
        {%- for kind in kinds %}
        cast(count(*) filter (where events.kind = {{ loop.index }}) as integer) as {{ kind }}_count,
        {%- endfor %}
        {{ hours_touched('events.event_at') }} as hour_count,
        {{ hours_touched('events.event_at', 4) }} as part_of_day_count
    from events
    left join declared_agents on events.agent_key = declared_agents.agent_key
    group by events.visitor_key, events.event_date
),

paused as (
    select
        visitor_key,
        event_date,
        {{ milliseconds_between(
            'lag(event_at) over (partition by visitor_key, event_date order by event_at)', 'event_at'
        ) }} as pause_ms
    from events
),

pauses as (
    select
        visitor_key,
        event_date,
        pause_ms,
        {{ log_of_pause('pause_ms') }} as pause_log,
        pause_ms <= {{ longest_step_ms }} as is_step,
        pause_ms between {{ shortest_pause_ms }} and {{ idle_ms }} as is_pause,
        pause_ms > {{ idle_ms }} as is_rest
    from paused
    where pause_ms is not null
),

rhythms as (
    select
        visitor_key,
        event_date,
        cast(count(*) filter (where is_step) as integer) as step_count,
        cast(sum(pause_ms) filter (where is_step) as bigint) as step_ms,
        cast(count(*) filter (where is_pause) as integer) as pause_count,
        cast(sum(pause_log) filter (where is_pause) as bigint) as pause_log_sum,
        cast(sum(pause_log * pause_log) filter (where is_pause) as bigint) as pause_log_square_sum,
        cast(count(*) filter (where is_rest) as integer) as rest_count,
        cast(sum(pause_log) filter (where is_rest) as bigint) as rest_log_sum,
        cast(sum(pause_log * pause_log) filter (where is_rest) as bigint) as rest_log_square_sum
    from pauses
    group by visitor_key, event_date
),

busy as (
    select
        visitor_key,
        event_date
    from counts
    where event_count >= {{ bots.busy_events }}
),

busy_paused as (
    select
        events.visitor_key,
        events.event_date,
        events.page_path,
        case when events.event_name = 'Product Viewed' then events.product_id end as viewed_product_id,
        {{ milliseconds_between(
            'lag(events.event_at) over (partition by events.visitor_key, events.event_date order by events.event_at)',
            'events.event_at'
        ) }} as pause_ms
    from events
    inner join busy on events.visitor_key = busy.visitor_key and events.event_date = busy.event_date
),

busy_pauses as (
    select
        visitor_key,
        event_date,
        page_path,
        viewed_product_id,
        case
            when pause_ms between {{ shortest_pause_ms }} and {{ idle_ms }} then {{ log_of_pause('pause_ms') }}
        end as pause_log
    from busy_paused
),

breadths as (
    select
        visitor_key,
        event_date,
        cast(count(distinct page_path) as integer) as page_count,
        cast(count(distinct viewed_product_id) as integer) as viewed_product_count,
        cast(percentile_cont(0.1) within group (order by pause_log) as integer) as pause_log_p10,
        cast(percentile_cont(0.8) within group (order by pause_log) as integer) as pause_log_p80
    from busy_pauses
    group by visitor_key, event_date
)

select
    -- keys
    counts.visitor_key,
    counts.anonymous_id,
    counts.event_date,
    counts.load_sequence,
    -- from where: null for those who change within the day
    case when {{ web_network('counts.ip_address') }} = {{ web_network('counts.last_ip_address') }}
        then {{ fast_hash([web_network('counts.ip_address')]) }} end as network_key,
    case when {{ web_address('counts.ip_address') }} = {{ web_address('counts.last_ip_address') }}
        then {{ fast_hash([web_address('counts.ip_address')]) }} end as address_key,
    case
        when
            {{ web_address('counts.ip_address') }} = {{ web_address('counts.last_ip_address') }}
            and counts.agent_key = counts.last_agent_key
            then {{ fast_hash([web_address('counts.ip_address'), 'counts.agent_key']) }}
    end as actor_key,
    -- who
    counts.declared_name,
    counts.is_identified,
    counts.order_count > 0 as has_order,
    -- times
    counts.first_event_at,
    counts.last_event_at,
    counts.hour_count,
    counts.part_of_day_count,
    -- what
    cast(counts.event_count as integer) as event_count,
    {%- for kind in kinds %}
    counts.{{ kind }}_count,
    {%- endfor %}
    {{ kind_count('counts.') }} as kind_count,
    {{ kind_log_sum('counts.') }} as kind_log_sum,
    breadths.page_count,
    breadths.viewed_product_count,
    -- rhythm
    coalesce(rhythms.step_count, 0) as step_count,
    coalesce(rhythms.step_ms, 0) as step_ms,
    coalesce(rhythms.pause_count, 0) as pause_count,
    coalesce(rhythms.pause_log_sum, 0) as pause_log_sum,
    coalesce(rhythms.pause_log_square_sum, 0) as pause_log_square_sum,
    breadths.pause_log_p10,
    breadths.pause_log_p80,
    coalesce(rhythms.rest_count, 0) as rest_count,
    coalesce(rhythms.rest_log_sum, 0) as rest_log_sum,
    coalesce(rhythms.rest_log_square_sum, 0) as rest_log_square_sum
from counts
left join rhythms on counts.visitor_key = rhythms.visitor_key and counts.event_date = rhythms.event_date
left join breadths on counts.visitor_key = breadths.visitor_key and counts.event_date = breadths.event_date
