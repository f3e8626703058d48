with products as (
    select * from {{ ref('stg_shop__products') }}
),

order_lines as (
    select * from {{ ref('stg_shop__order_lines') }}
),

-- Sold, but not in the product file: a member of its own with a flag, so that no sale falls out of a join.
inferred as (
    select order_lines.product_id
    from order_lines
    left join products on order_lines.product_id = products.product_id
    where products.product_id is null
    group by order_lines.product_id
)

select
    -- keys
    product_id,
    manufacturer_id,
    -- what it is
    department,
    brand_type,
    product_category,
    product_type,
    package_size,
    false as is_inferred
from products
union all
select
    product_id,
    cast(null as varchar) as manufacturer_id,
    'unknown' as department,
    'unknown' as brand_type,
    cast(null as varchar) as product_category,
    cast(null as varchar) as product_type,
    cast(null as varchar) as package_size,
    true as is_inferred
from inferred
