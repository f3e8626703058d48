-- Since when each customer counts as a buyer of each category.

with memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

purchased as (
    select
        record_hash,
        product_category,
        min(counts_from) as counts_from
    from {{ ref('int_activity__purchased_categories') }}
    where product_category <> 'unknown'
    group by record_hash, product_category
)

select
    -- keys
    memberships.customer_id,
    purchased.product_category,
    -- as-of dates after this day see them as a buyer
    min(purchased.counts_from) as counts_from
from purchased
inner join memberships on purchased.record_hash = memberships.record_hash
group by memberships.customer_id, purchased.product_category
