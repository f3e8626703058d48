{#-
    A select over landed web events, typed and judged. `raw` has the contract's columns, load_sequence and event_key
    (null = no event_id); `web` are the settings of that name.
-#}
{%- macro web_events_typed(raw, web) -%}
    with cleaned as (
        select
            -- keys
            event_key,
            event_id,
            anonymous_id,
            user_id,
            load_id,
            load_sequence,
            -- what it is
            lower(trim(event_type)) as event_type,
            -- of a page or an identification, a name says nothing that its type does not
            case when lower(trim(event_type)) = 'track' then nullif(trim(event_name), '') end as event_name,
            nullif(trim(email), '') as email,
            {{ url_path('page_url') }} as page_path,
            content_type,
            product_id,
            cart_id,
            order_id,
            search_query,
            quantity,
            -- prices
            list_price,
            shown_price,
            currency,
            -- where it came from
            {{ url_host('referrer_url') }} as referrer_host,
            -- both as written: to work out the page's own host for every row would cost as much as all the rest
            replace(lower(split_part(referrer_url, '/', 3)), 'www.', '')
            = replace(lower(split_part(page_url, '/', 3)), 'www.', '') as comes_from_same_host,
            {{ url_parameter('page_url', 'utm_source') }} as utm_source,
            {{ url_parameter('page_url', 'utm_medium') }} as utm_medium,
            {{ url_parameter('page_url', 'utm_campaign') }} as utm_campaign,
            -- device
            user_agent,
            {{ device_type('user_agent') }} as device_type,
            ip_address,
            region,
            -- times
            known_at as received_at,
            occurred_at as device_occurred_at,
            sent_at as device_sent_at,
            -- The device's clock may be wrong, but how long the event waited on the device is not.
            known_at - (coalesce(sent_at, known_at) - occurred_at) as corrected_at
        from {{ raw }}
    ),

    judged as (
        select
            *,
            case
                when event_key is null then 'event_id is missing'
                when anonymous_id is null then 'anonymous_id is missing'
                when received_at is null then 'known_at is missing'
                when device_occurred_at is null then 'occurred_at is missing'
                when corrected_at > received_at + interval {{ web.max_minutes_ahead }} minute
                    then 'the event is later than its arrival'
                when corrected_at < timestamp '1990-01-01 00:00:00' then 'the event is older than the web'
                when coalesce(event_type, '') not in ('page', 'identify', 'track') then 'event_type is unknown'
                when event_type = 'track' and event_name is null then 'event_name is missing'
                when list_price < 0 or shown_price < 0 then 'a price is negative'
                when quantity < 0 then 'quantity is negative'
            end as problem,
            -- Within the tolerance, nothing happens later than it was known.
            least(corrected_at, received_at) as event_at
        from cleaned
    )

    select
        -- keys
        event_id,
        event_key,
        anonymous_id,
        {{ fast_hash(['anonymous_id']) }} as visitor_key,
        user_id,
        load_id,
        load_sequence,
        -- what it is
        event_type,
        event_name,
        email,
        page_path,
        content_type,
        product_id,
        cart_id,
        order_id,
        search_query,
        quantity,
        -- prices
        list_price,
        shown_price,
        currency,
        -- where it came from: the page's own host is none
        case when comes_from_same_host is not true then referrer_host end as referrer_host,
        utm_source,
        utm_medium,
        utm_campaign,
        -- device
        user_agent,
        device_type,
        ip_address,
        region,
        -- times
        event_at,
        {{ time_slot('event_at', web.session_idle_minutes) }} as slot,
        received_at,
        device_occurred_at,
        device_sent_at,
        event_at < received_at - interval {{ web.late_after_minutes }} minute as is_late,
        -- verdict
        problem
    from judged
{%- endmacro -%}
