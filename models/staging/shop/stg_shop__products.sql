select
    -- keys
    product_id,
    manufacturer_id,
    load_id,
    -- what it is
    department,
    brand_type,
    product_category,
    product_type,
    package_size
from {{ ref('base_shop__products') }}
where reject_reason is null
