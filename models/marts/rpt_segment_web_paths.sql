-- The ways of a segment's members through the web shop. A way that fewer than five of them went would tell of single
-- customers: it is counted with the others like it, by how far they went.

{%- set min_customers = 5 %}
{%- set separator = ' > ' %}

with sessions as (
    select
        customer_id,
        window_days,
        is_ordered,
        path,
        split_part('{{ separator }}' || path, '{{ separator }}order', 1) as before_order,
        case
            when is_ordered then 'order'
            when is_checkout_begun then 'checkout'
            when is_cart_filled then 'cart'
            when is_product_seen then 'product'
            else 'visit'
        end as furthest_step
    from {{ ref('int_segments__web_paths') }}
),

visits as (
    select
        members.segment_key,
        sessions.customer_id,
        sessions.window_days,
        -- what comes after an order is no longer the way to it
        case
            when sessions.is_ordered then substr(sessions.before_order || '{{ separator }}order', 4)
            else sessions.path
        end as path,
        sessions.furthest_step
    from {{ ref('fct_segment_memberships') }} as members
    inner join sessions on members.customer_id = sessions.customer_id
),

visitors as (
    select
        segment_key,
        count(distinct customer_id) as customer_count
    from visits
    group by segment_key
),

ways as (
    select
        segment_key,
        path,
        furthest_step,
        max(window_days) as window_days,
        count(*) as session_count,
        count(distinct customer_id) as customer_count
    from visits
    group by segment_key, path, furthest_step
),

-- Of a segment whose visitors are so few nothing is told.
told as (
    select
        ways.segment_key,
        case when ways.customer_count >= {{ min_customers }} then ways.path else 'rare' end as path,
        ways.furthest_step,
        ways.window_days,
        ways.session_count
    from ways
    inner join visitors on ways.segment_key = visitors.segment_key
    where visitors.customer_count >= {{ min_customers }}
)

select
    -- keys
    segment_key,
    path,
    furthest_step,
    -- what it covers
    max(window_days) as window_days,
    -- counts
    cast(sum(session_count) as integer) as session_count
from told
group by segment_key, path, furthest_step
