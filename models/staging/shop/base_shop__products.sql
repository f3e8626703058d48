with landed as (
    select * from {{ visible_rows('products') }}
),

judged as (
    select
        *,
        case
            when product_id is null then 'product_id is missing'
        end as problem
    from landed
),

{{ versions_of('judged', keys=['product_id'], content=[
    'manufacturer_id', 'department', 'brand_type', 'product_category', 'product_type', 'package_size',
]) }}

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
    package_size,
    -- verdict
    {{ reject_reason() }} as reject_reason
from versions
