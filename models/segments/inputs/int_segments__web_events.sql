-- What customers did on the web in the days before each date at which rules are evaluated.

{%- set instants = 'select as_of_date, as_of_at from ' ~ ref('int_segments__dates') %}

-- noqa: disable=LT02
with seen as (
    {{ web_events_before(instants, days=28) }}
),

events as (
    select
        *,
        -- worked out here, it is compared by a hash join; within the condition it would be for every pair
        case when content_type = 'category' then {{ as_in_addresses(replace_pattern('page_path', '^.*/', '')) }} end
            as written
    from seen
),

-- a category's own page ends with its name as addresses write it: SOFT DRINKS, /c/grocery/soft-drinks
categories as (
    select
        {{ as_in_addresses('product_category') }} as written,
        min(product_category) as product_category
    from {{ ref('stg_shop__products') }}
    where product_category is not null
    group by {{ as_in_addresses('product_category') }}
)

select
    -- keys
    events.customer_id,
    events.as_of_date,
    events.event_id,
    events.session_id,
    events.session_started_at,
    events.cart_id,
    events.product_id,
    events.product_category,
    events.product_type,
    -- what it was
    events.event_name,
    events.content_type,
    -- a category is looked at on its own page or through its products
    case
        when events.event_name = 'Product Viewed' then events.product_category
        when events.content_type = 'category' then coalesce(categories.product_category, events.page_path)
    end as category_viewed,
    events.quantity,
    events.shown_price,
    -- when
    events.event_at,
    events.seconds_before
from events
left join categories on events.written = categories.written
