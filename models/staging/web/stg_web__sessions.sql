{%- set is_increment = is_incremental() -%}
{%- set idle_minutes = setting_value('web.session_idle_minutes') -%}
{#- Of events at one instant, the smallest (or, for the login, the greatest) value counts: no order of rows shows. -#}
{%- set login = struct_of(['event_at', 'user_id']) -%}
{%- set page = struct_of(['event_at', 'page_path']) -%}
{%- set product = struct_of(['event_at', 'product_id']) -%}
{%- set origin = struct_of([
    'utm_source', 'utm_medium', 'utm_campaign', 'referrer_host', 'user_agent', 'device_type', 'region',
]) -%}

-- noqa: disable=LT02,PRS
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
    where known.reject_reason is null and known.event_at >= (select min(t.reach_at) from touched as t)
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
        and good.event_at >= (select min(r.reopened_at) from reopened as r)
        {%- endif %}
),

grouped as (
    select
        session_id,
        session_started_at,
        any_value(anonymous_id) as anonymous_id,
        max({{ login }}) filter (where user_id is not null) as last_login,
        min(event_date) as session_date,
        max(event_at) as session_ended_at,
        count(*) as event_count,
        count(*) filter (where event_type = 'page') as page_view_count,
        count(*) filter (where event_name = 'Product Viewed') as product_view_count,
        count(*) filter (where event_name = 'Products Searched') as search_count,
        count(*) filter (where event_name = 'Product Added') as add_count,
        count(*) filter (where event_name = 'Checkout Started') as checkout_count,
        count(*) filter (where event_name = 'Order Completed') as order_count,
        min({{ origin }}) filter (where event_at = session_started_at) as entry,
        -- Sorting a list afterwards takes a third of the time of an ordered aggregate.
        array_sort(array_agg({{ page }}) filter (where event_type = 'page' and page_path is not null)) as pages,
        array_sort(array_agg({{ product }}) filter (where event_name = 'Product Viewed' and product_id is not null))
            as products
    from events
    group by session_id, session_started_at
),

listed as (
    select
        grouped.*,
        grouped.last_login.user_id,
        grouped.entry.utm_source,
        grouped.entry.utm_medium,
        grouped.entry.utm_campaign,
        grouped.entry.referrer_host,
        grouped.entry.user_agent,
        grouped.entry.device_type,
        grouped.entry.region,
        {{ field_of_each('grouped.pages', 'page_path') }} as page_path_sequence,
        {{ seconds_to_next_of_each('grouped.pages', 'event_at', 'grouped.session_ended_at') }}
            as page_dwell_seconds_sequence,
        {{ field_of_each('grouped.products', 'product_id') }} as product_path_sequence
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
    {{ seconds_between('session_started_at', 'session_ended_at') }} as dwell_seconds,
    -- counts
    event_count,
    page_view_count,
    product_view_count,
    search_count,
    add_count,
    checkout_count,
    order_count,
    -- paths
    {{ list_element('page_path_sequence', 1) }} as entry_path,
    {{ list_element('page_path_sequence', -1) }} as exit_path,
    page_path_sequence,
    page_dwell_seconds_sequence,
    product_path_sequence,
    -- where it came from
    referrer_host,
    utm_source,
    utm_medium,
    utm_campaign,
    -- device
    user_agent,
    device_type,
    region
from listed
