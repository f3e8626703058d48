-- Lines came, their order did not: an order of its own with a flag, so that no sale is lost. The order itself, once it
-- lands, takes its place. Orders that did land and were rejected are not inferred: their lines wait in quarantine.
with lines as (
    select * from {{ ref('base_shop__judged_order_lines') }}
),

-- distinct: an order stands once for each of its versions
landed_orders as (
    select distinct order_id from {{ visible_rows('orders') }}
)

select
    -- keys
    lines.order_id,
    min_by(lines.load_id, lines.load_sequence) as load_id,
    -- times
    min(lines.occurred_at) as ordered_at,
    min(lines.known_at) as known_at
from lines
left join landed_orders on lines.order_id = landed_orders.order_id
where
    landed_orders.order_id is null
    and lines.problem is null
    and lines.occurred_at is not null
group by lines.order_id
