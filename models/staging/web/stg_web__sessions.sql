{%- set is_increment = is_incremental() -%}
{%- set idle_minutes = setting_value('web.session_idle_minutes') -%}
{%- set order_of_events = struct_of(['event_at', 'event_id']) -%}

with
{%- if is_increment %}
-- Visitors with new events, and how far back those may have changed their sessions: as far as the events of one idle
-- time before the first new one, in the sessions that these are in now.
touched as {{ kept() }} (
    select
        anonymous_id,
        min(event_at) - interval {{ idle_minutes }} minute as reach_at
    from {{ ref('base_web__events') }}
    where reject_reason is null and load_sequence > {{ read_note(this).through }}
    group by anonymous_id
),

reopened as {{ kept() }} (
    select
        touched.anonymous_id,
        min(known.session_started_at) as reopened_at
    from touched
    inner join {{ ref('base_web__events') }} as known
        on touched.anonymous_id = known.anonymous_id and known.event_at >= touched.reach_at
    where known.reject_reason is null and known.event_at >= (select min(reach_at) from touched)
    group by touched.anonymous_id
),
{%- endif %}

events as (
    select good.*
    from {{ ref('base_web__events') }} as good
    {%- if is_increment %}
    inner join reopened on good.anonymous_id = reopened.anonymous_id and good.event_at >= reopened.reopened_at
    {%- endif %}
    where
        good.reject_reason is null
        {%- if is_increment %}
        and good.event_at >= (select min(reopened_at) from reopened)
        {%- endif %}
),

grouped as (
    select
        session_id,
        max(anonymous_id) as anonymous_id,
        max_by(user_id, {{ order_of_events }}) as user_id,
        min(event_date) as session_date,
        min(event_at) as session_started_at,
        max(event_at) as session_ended_at,
        count(*) as event_count,
        count(*) filter (where event_type = 'page') as page_view_count,
        count(*) filter (where event_name = 'Product Viewed') as product_view_count,
        count(*) filter (where event_name = 'Products Searched') as search_count,
        count(*) filter (where event_name = 'Product Added') as add_count,
        count(*) filter (where event_name = 'Checkout Started') as checkout_count,
        count(*) filter (where event_name = 'Order Completed') as order_count,
        -- One minimum over a struct: eight of them would cost eight times as much.
        min_by(
            {{ struct_of([
                'referrer_host', 'utm_source', 'utm_medium', 'utm_campaign', 'user_agent', 'device_type', 'region'
            ]) }},
            {{ order_of_events }}
        ) as entry,
        -- Sorting a list afterwards costs a third of an ordered aggregate.
        array_sort(array_agg({{ struct_of(['event_at', 'event_id', 'page_path']) }}) filter (
            where event_type = 'page' and page_path is not null
        )) as pages,
        array_sort(array_agg({{ struct_of(['event_at', 'event_id', 'product_id']) }}) filter (
            where event_name = 'Product Viewed' and product_id is not null
        )) as products
    from events
    group by session_id
),

listed as (
    select
        *,
        {{ field_of_each('pages', 'page_path') }} as page_path_sequence,
        {{ field_of_each('products', 'product_id') }} as product_path_sequence
    from grouped
)

select
    -- keys
    session_id,
    anonymous_id,
    user_id,
    -- times
    session_started_at,
    session_ended_at,
    session_date,
    cast(date_diff('second', session_started_at, session_ended_at) as bigint) as dwell_seconds,
    -- counts
    event_count,
    page_view_count,
    product_view_count,
    search_count,
    add_count,
    checkout_count,
    order_count,
    -- paths
    page_path_sequence[1] as entry_path,
    page_path_sequence[-1] as exit_path,
    page_path_sequence,
    product_path_sequence,
    -- where it came from
    entry.referrer_host as referrer_host,
    entry.utm_source as utm_source,
    entry.utm_medium as utm_medium,
    entry.utm_campaign as utm_campaign,
    -- device
    entry.user_agent as user_agent,
    entry.device_type as device_type,
    entry.region as region
from listed
