"""x"""

from __future__ import annotations

from datetime import date, timedelta

FIRST_DAY = date(2017, 1, 1)
EVENTS_A_SESSION = 16
EVENTS_A_VISITOR = 60


def deliveries(events_a_day: int, visitors: int, first_day: date, days: int) -> str:
    """SQL that gives what the server receives in `days` days from `first_day` on, in the contract's columns.

    A crude stand-in for traffic, quick to make: 2 of 100 events wait up to a week on the device, 2 of 100 are delivered
    twice, every tenth visitor's clock is wrong by up to an hour, a quarter of the sessions come from a campaign.
    The same day gives the same deliveries, whichever days are asked for with it.
    """
    sessions_a_day = max(1, events_a_day // EVENTS_A_SESSION)
    start = (first_day - FIRST_DAY).days
    first, last = max(0, start - 8) * sessions_a_day, (start + days) * sessions_a_day
    return f"""
    with sessions as (
        select
            number,
            (hash(number) >> 2)::bigint as draw,
            (hash(number, 'visitor') % {visitors})::bigint as visitor,
            timestamp '{FIRST_DAY}' + to_milliseconds(
                (number * {86_400_000 / sessions_a_day} + hash(number, 'start') % 3600000)::bigint
            ) as started_at,
        from range({first}, {last}) as numbers(number)
    ),
    events as (
        select *, unnest(range(4 + draw % {2 * EVENTS_A_SESSION - 7})) as step
        from (select *, visitor % 20000 as taste from sessions)
    ),
    drawn as (
        select
            *,
            (hash(number, step) >> 2)::bigint as event_draw,
            started_at + to_milliseconds(step * 40000 + event_draw % 35000) as true_at,
            event_draw % 3 = 0 or step = 0 as is_page,
            (event_draw >> 8) % 20000 as product,
        from events
    ),
    delayed as (
        select
            *,
            case when event_draw % 100 < 2 then event_draw % 604800000 else event_draw % 2000 end as delay,
            case when visitor % 10 = 0 then visitor % 7200 - 3600 else 0 end as skew,
            unnest(case when event_draw % 50 = 7 then [0, event_draw % 86400000] else [0] end) as repeated_after,
        from drawn
    ),
    received as (
        select
            *,
            true_at + to_seconds(skew) as occurred_at,
            true_at + to_seconds(skew) + to_milliseconds(delay) as sent_at,
            true_at + to_milliseconds(delay + repeated_after) as known_at,
        from delayed
        where known_at >= timestamp '{first_day}' and known_at < timestamp '{first_day + timedelta(days=days)}'
    )
    select
        printf('%016x%016x', event_draw, number) as event_id,
        case when is_page then 'page' when event_draw % 400 = 1 then 'identify' else 'track' end as event_type,
        case
            when is_page or event_draw % 400 = 1 then null
            when event_draw % 5 < 3 then 'Product Viewed'
            when event_draw % 11 < 2 then 'Products Searched'
            when event_draw % 7 < 4 then 'Product Added'
            when event_draw % 17 = 1 then 'Checkout Started'
            else 'Product List Viewed'
        end as event_name,
        md5(visitor::varchar) as anonymous_id,
        case when visitor % 3 = 0 and step > 3 then 'user-' || visitor // 2 end as user_id,
        case when event_draw % 400 = 1 then 'user-' || visitor // 2 || '@example.org' end as email,
        'https://www.shop.example/'
            || case when is_page then 'category/' || product % 300 else 'product/' || product end
            || case
                when step = 0 and draw % 4 = 0
                    then '?utm_source=newsletter&utm_medium=email&utm_campaign=c' || draw % 50
                else ''
            end as page_url,
        case
            when step > 0 then 'https://www.shop.example/category/' || product % 300
            when draw % 3 = 0 then 'https://www.google.com/'
        end as referrer_url,
        case when is_page then 'category' else 'product' end as content_type,
        case when not is_page then 'P' || product end as product_id,
        case when not is_page then (product / 100.0)::decimal(18, 2) end as list_price,
        case when not is_page then (product / 110.0)::decimal(18, 2) end as shown_price,
        'USD' as currency,
        case when event_draw % 20 = 0 then (1 + event_draw % 3)::integer end as quantity,
        case when event_draw % 20 = 0 then 'cart-' || number end as cart_id,
        case when event_draw % 500 = 3 then 'order-' || number end as order_id,
        case when event_draw % 37 = 0 then 'words ' || event_draw % 1000 end as search_query,
        case visitor % 3
            when 0 then 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/'
            when 1 then 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile/'
            else 'Mozilla/5.0 (Linux; Android 13; Pixel) AppleWebKit/537.36 Mobile Chrome/'
        end || (visitor // 3) % 60 as user_agent,
        '10.' || visitor % 200 || '.' || (visitor // 200) % 250 || '.1' as ip_address,
        'R' || visitor % 50 as region,
        sent_at,
        occurred_at,
        known_at,
    from received
    """
