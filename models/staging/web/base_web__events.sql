{#-
    One select for both ways. A full build reads every load; an increment reads the loads that are new, looks up what is
    known of their event ids, and cuts anew the sessions that their events reach.
-#}
{%- set is_increment = is_incremental() -%}
{%- set web = setting_value('web') or {} -%}
{%- set zone = setting('shop.business_timezone') -%}
{%- set columns = [
    'event_id', 'event_key', 'session_id', 'anonymous_id', 'user_id', 'load_id', 'load_sequence',
    'event_type', 'event_name', 'email', 'page_path', 'content_type', 'product_id', 'cart_id', 'order_id', 'search_query',
    'quantity', 'list_price', 'shown_price', 'currency', 'referrer_host', 'utm_source', 'utm_medium',
    'utm_campaign', 'user_agent', 'device_type', 'ip_address', 'region', 'event_at', 'event_date', 'session_started_at',
    'received_at', 'device_occurred_at', 'device_sent_at', 'is_late', 'reject_reason',
] -%}
{%- set typed_columns = ['visitor_key', 'slot'] + columns | reject('in', [
    'session_id', 'session_started_at', 'event_date', 'reject_reason',
]) | list -%}
{#- What two deliveries of one event have in common; the network and the clock at sending may differ. -#}
{%- set content = fast_hash([
    'event_type', 'event_name', 'anonymous_id', 'user_id', 'email', 'page_path', 'content_type',
    'product_id', 'cart_id', 'order_id', 'search_query', 'quantity', 'list_price', 'shown_price', 'currency',
    'referrer_host', 'utm_source', 'utm_medium', 'utm_campaign', 'user_agent', 'device_occurred_at',
]) -%}

-- noqa: disable=LT02
with raw as {{ kept() if is_increment else inlined() }} (
    select
        *,
        case when event_id is not null then {{ fast_hash(['event_id']) }} end as event_key
    from {{ visible_rows('web_events') }}
    {%- if is_increment %}
    where load_id in ({{ new_loads() }})
    {%- endif %}
),

{% if is_increment -%}
-- Where earlier deliveries lie: keys and days only, so that the second look reads those days and no others.
met_before as {{ kept() }} (
    select
        stored.event_key,
        stored.event_date
    from {{ this }} as stored
    where stored.event_key in (select raw.event_key from raw)
),

standing as {{ kept() }} (
    select
        stored.event_id,
        {{ content }} as content_key
    from {{ this }} as stored
    inner join met_before on stored.event_date = met_before.event_date and stored.event_key = met_before.event_key
),

{% endif -%}
repeated_keys as {{ kept() }} (
    select event_key
    from raw
    where event_key is not null
    group by event_key
    having count(*) > 1
    {%- if is_increment %}
    union
    select event_key from met_before
    {%- endif %}
),

delivered_once as {{ kept() if is_increment else inlined() }} (
    {{ web_events_typed(
        '(select * from raw where event_key is null or event_key not in (select event_key from repeated_keys))', web
    ) }}
),

delivered_again as (
    select
        *,
        {{ content }} as content_key
    from (
        {{ web_events_typed('(select * from raw where event_key in (select event_key from repeated_keys))', web) }}
    ) as typed
),

-- The first arrival stands. Only what could stand is ranked: a rejected delivery does not shadow a good one.
ranked as {{ kept() }} (
    select
        again.*,
        {%- if is_increment %}
        standing.event_id is not null as is_known,
        {%- else %}
        false as is_known,
        {%- endif %}
        row_number() over first_arrivals as arrival_number,
        coalesce(
            {%- if is_increment %} standing.content_key,{% endif %} first_value(again.content_key) over first_arrivals
        ) as standing_content_key
    from delivered_again as again
    {%- if is_increment %}
    left join standing on again.event_id = standing.event_id
    {%- endif %}
    window first_arrivals as (
        partition by again.event_id, again.problem is null
        order by
            again.load_sequence, again.received_at, again.device_sent_at, again.device_occurred_at, again.content_key,
            again.ip_address, again.region
    )
),

judged as {{ kept() if is_increment else inlined() }} (
    select
        {{ typed_columns | join(',\n        ') }},
        problem as reject_reason
    from delivered_once
    union all
    select
        {{ typed_columns | join(',\n        ') }},
        case
            when problem is not null then problem
            when arrival_number = 1 and not is_known then null
            when content_key = standing_content_key then 'exact duplicate'
            else 'other content than the first delivery'
        end as reject_reason
    from ranked
),

good as {{ kept() if is_increment else inlined() }} (
    select
        visitor_key,
        anonymous_id,
        event_at,
        {{ campaign_key('utm_source', 'utm_medium', 'utm_campaign') }} as campaign
    from judged
    where reject_reason is null
),

{% if is_increment -%}
touched as {{ kept() }} (
    select
        visitor_key,
        min(event_at) as first_at
    from good
    group by visitor_key
),

-- Sessions of a touched visitor stay as they are up to the one that its first new event can reach.
reopened as {{ kept() }} (
    select
        touched.visitor_key,
        min(least(touched.first_at, coalesce(earlier.session_started_at, touched.first_at))) as reopened_at
    from touched
    left join {{ this }} as earlier
        on
            touched.visitor_key = {{ fast_hash(['earlier.anonymous_id']) }}
            and earlier.event_at >= touched.first_at - interval {{ web.session_idle_minutes }} minute
            and earlier.reject_reason is null
            and earlier.event_at >= (select min(t.first_at) - interval {{ web.session_idle_minutes }} minute from touched as t)
    group by touched.visitor_key
),

earlier as {{ kept() }} (
    select
        reopened.visitor_key,
        stored.anonymous_id,
        stored.event_key,
        stored.event_date,
        stored.event_at,
        stored.session_started_at,
        {{ time_slot('stored.event_at', web.session_idle_minutes) }} as slot,
        {{ campaign_key('stored.utm_source', 'stored.utm_medium', 'stored.utm_campaign') }} as campaign
    from {{ this }} as stored
    inner join reopened
        on
            {{ fast_hash(['stored.anonymous_id']) }} = reopened.visitor_key
            and stored.event_at >= reopened.reopened_at
    where stored.reject_reason is null and stored.event_at >= (select min(r.reopened_at) from reopened as r)
),

to_cut as {{ kept() }} (
    select * from good
    union all
    select
        visitor_key,
        anonymous_id,
        event_at,
        campaign
    from earlier
),

{% endif -%}
cut as (
    {{ cut_sessions(
        'to_cut' if is_increment else 'good',
        web.session_idle_minutes,
        web.new_campaign_starts_session,
        carried=['anonymous_id'],
    ) }}
),

sessions as {{ kept() }} (
    select
        visitor_key,
        slot,
        session_started_at,
        ended_before,
        {{ stable_hash(['anonymous_id', 'session_started_at']) }} as session_id,
        -- Nearly every slot lies in one day, and it costs less to look once a slot than once an event.
        cast({{ local_time('first_at', zone) }} as date) as first_date,
        cast({{ local_time('last_at', zone) }} as date) as last_date
    from cut
),

{% if is_increment -%}
moved as {{ kept() }} (
    select
        earlier.event_key,
        earlier.event_date,
        sessions.session_id,
        sessions.session_started_at
    from earlier
    inner join sessions
        on
            earlier.visitor_key = sessions.visitor_key
            and earlier.slot = sessions.slot
            and earlier.event_at >= sessions.session_started_at
            and earlier.event_at < sessions.ended_before
    where earlier.session_started_at <> sessions.session_started_at
),

{% endif -%}
arrived as (
    select
        judged.*,
        sessions.session_id,
        sessions.session_started_at,
        case
            when sessions.first_date = sessions.last_date then sessions.first_date
            else cast({{ local_time('judged.event_at', zone) }} as date)
        end as event_date
    from judged
    left join sessions
        on
            case when judged.reject_reason is null then judged.visitor_key end = sessions.visitor_key
            and judged.slot = sessions.slot
            and judged.event_at >= sessions.session_started_at
            and judged.event_at < sessions.ended_before
)

select
    {%- for column in columns %}
    {{ 'case when reject_reason is null then event_key end as event_key' if column == 'event_key' else column }}
    {{- ',' if not loop.last }}
    {%- endfor %}
from arrived
{%- if is_increment %}
union all
select
    {%- for column in columns %}
    {{ 'moved' if column in ('session_id', 'session_started_at') else 'stored' }}.{{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
from {{ this }} as stored
inner join moved on stored.event_date = moved.event_date and stored.event_key = moved.event_key
{%- endif %}
