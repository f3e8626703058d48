-- What customers did on the web in the days before each date at which rules are evaluated.

{%- set instants = 'select as_of_date, as_of_at from ' ~ ref('int_segments__dates') %}

-- noqa: disable=LT02
with events as (
    {{ web_events_before(instants, days=28) }}
)

select
    -- keys
    customer_id,
    as_of_date,
    event_id,
    session_id,
    session_started_at,
    cart_id,
    product_id,
    product_category,
    product_type,
    -- what it was
    event_name,
    content_type,
    -- a category is looked at on its own page or through its products
    case
        when event_name = 'Product Viewed' then product_category
        when content_type = 'category' then page_path
    end as category_viewed,
    quantity,
    shown_price,
    -- when
    event_at,
    seconds_before
from events
