-- How many had ever bought each product type, as of each date and by the identity of today: what few buy is a niche.

with dates as (
    select * from {{ ref('int_segments__dates') }}
),

memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

order_lines as (
    select
        order_lines.record_hash,
        products.product_type,
        order_lines.counts_from
    from {{ ref('int_activity__order_lines') }} as order_lines
    inner join {{ ref('stg_shop__products') }} as products on order_lines.product_id = products.product_id
    where order_lines.line_type = 'sale' and products.product_type is not null
),

-- who has bought a type counts once, from the first time on
first_bought as (
    select
        memberships.customer_id,
        order_lines.product_type,
        min(order_lines.counts_from) as counts_from
    from order_lines
    inner join memberships on order_lines.record_hash = memberships.record_hash
    group by memberships.customer_id, order_lines.product_type
),

buyers as (
    select
        product_type,
        counts_from,
        count(*) as buyer_count
    from first_bought
    group by product_type, counts_from
),

first_bought_anything as (
    select
        customer_id,
        min(counts_from) as counts_from
    from first_bought
    group by customer_id
),

all_buyers as (
    select
        dates.as_of_date,
        count(*) as buyer_count
    from dates
    inner join first_bought_anything on dates.as_of_date > first_bought_anything.counts_from
    group by dates.as_of_date
)

select
    -- keys
    dates.as_of_date,
    buyers.product_type,
    -- who bought it
    cast(sum(buyers.buyer_count) as bigint) as buyer_count,
    cast(sum(buyers.buyer_count) as double) / all_buyers.buyer_count as buyer_share
from dates
inner join all_buyers on dates.as_of_date = all_buyers.as_of_date
inner join buyers on dates.as_of_date > buyers.counts_from
group by dates.as_of_date, buyers.product_type, all_buyers.buyer_count
