-- What each session of a person was: of who logged in during it, else of its cookie. Sessions of programs are nobody's.

{%- set business_timezone = setting('shop.business_timezone') %}

with sessions as (
    select * from {{ ref('stg_web__sessions') }}
),

visitors as (
    select * from {{ ref('stg_web__visitors') }}
),

by_kind as (
    select
        session_id,
        session_started_at,
        sum(case when content_type = 'category' then 1 else 0 end) as category_view_count,
        sum(case when content_type in ('review', 'tutorial') then 1 else 0 end) as content_view_count,
        max(cast({{ local_time('received_at', business_timezone) }} as date)) as received_on
    from {{ ref('stg_web__events') }}
    group by session_id, session_started_at
)

-- noqa: disable=LT02
select
    -- keys
    sessions.session_id,
    sessions.session_started_at,
    case
        when sessions.user_id is not null then {{ record_hash("'web_users'", 'sessions.user_id') }}
        else {{ record_hash("'web_visitors'", 'sessions.anonymous_id') }}
    end as record_hash,
    -- dates
    sessions.session_date as day,
    -- one that goes on past midnight is of the day before, and no date knows it before it has ended
    {% if feature_basis() == 'as_known' -%}
        greatest(
            sessions.session_date,
            by_kind.received_on,
            cast({{ local_time('sessions.session_ended_at', business_timezone) }} as date)
        ) as counts_from,
    {%- else -%}
        greatest(
            sessions.session_date, cast({{ local_time('sessions.session_ended_at', business_timezone) }} as date)
        ) as counts_from,
    {%- endif %}
    cast(null as date) as counts_until,
    -- its day, if it saw such a thing
    {% for thing, count in {
        'product_viewed': 'product_view_count', 'searched': 'search_count', 'added': 'add_count', 'checked_out': 'checkout_count',
    }.items() -%}
        case when sessions.{{ count }} > 0 then sessions.session_date end as {{ thing }}_on,
    {% endfor -%}
    -- counts
    1 as session_count,
    cast(sessions.dwell_seconds as bigint) as dwell_seconds,
    cast(sessions.page_view_count as integer) as page_view_count,
    cast(sessions.product_view_count as integer) as product_view_count,
    cast(by_kind.category_view_count as integer) as category_view_count,
    cast(by_kind.content_view_count as integer) as content_view_count,
    cast(sessions.search_count as integer) as search_count,
    cast(sessions.add_count as integer) as add_count,
    cast(sessions.checkout_count as integer) as checkout_count,
    cast(sessions.order_count as integer) as order_count,
    -- abandonment: looked and put nothing into the cart; filled it and did not go on; went on and did not buy
    case when sessions.product_view_count > 0 and sessions.add_count = 0 and sessions.order_count = 0 then 1 else 0 end
        as abandoned_browse_count,
    case when sessions.add_count > 0 and sessions.checkout_count = 0 and sessions.order_count = 0 then 1 else 0 end
        as abandoned_cart_count,
    case when sessions.checkout_count > 0 and sessions.order_count = 0 then 1 else 0 end as abandoned_checkout_count,
    -- device
    case when sessions.device_type = 'mobile' then 1 else 0 end as mobile_session_count,
    case when sessions.device_type = 'tablet' then 1 else 0 end as tablet_session_count,
    case when sessions.device_type = 'desktop' then 1 else 0 end as desktop_session_count,
    -- where from
    {{ as_told('sessions.session_started_at', 'sessions.session_started_at', 'sessions.region') }} as region_as_told
from sessions
inner join by_kind
    on
        sessions.session_id = by_kind.session_id
        and sessions.session_started_at = by_kind.session_started_at
left join visitors on sessions.anonymous_id = visitors.anonymous_id
where not coalesce(visitors.is_bot, false)
