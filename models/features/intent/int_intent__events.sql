-- What customers did on the web in the week before an instant: what intent is read from.

{%- set instant = 'select ' ~ as_of_date() ~ ' as as_of_date, ' ~ as_of_at() ~ ' as as_of_at' %}

-- noqa: disable=LT02
with events as (
    {{ web_events_before(instant, days=7) }}
)

select
    -- keys
    customer_id,
    event_id,
    as_of_at,
    cart_id,
    product_id,
    product_category,
    -- what it was
    event_name,
    cast(coalesce(quantity, 1) as decimal(18, 3)) as quantity,
    cast(shown_price as decimal(18, 2)) as shown_price,
    -- when
    event_at,
    seconds_before
from events
