-- Lines came, their order did not: an order of its own with a flag, so that no sale is lost. The order itself, once it
-- lands, takes its place. Orders that did land and were rejected are not inferred: their lines wait in quarantine.
with lines as (
    select * from {{ ref('base_shop__judged_order_lines') }}
),

line_orders as (
    select order_id from {{ visible_rows('order_lines') }}
    group by order_id
),

landed_orders as (
    select order_id from {{ visible_rows('orders') }}
    group by order_id
),

missing_orders as (
    select line_orders.order_id
    from line_orders
    left join landed_orders on line_orders.order_id = landed_orders.order_id
    where landed_orders.order_id is null
)

select
    -- keys
    lines.order_id,
    min_by(lines.load_id, lines.load_sequence) as load_id,
    -- times
    min(lines.occurred_at) as ordered_at,
    min(lines.known_at) as known_at
from missing_orders
inner join lines on missing_orders.order_id = lines.order_id
where
    lines.problem is null
    and lines.occurred_at is not null
group by lines.order_id
