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

versioned as (
    select
        *,
        row_number() over (
            partition by product_id
            order by problem is not null asc, known_at desc, load_sequence desc
        ) as version_rank
    from judged
)

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
    coalesce(problem, case when version_rank > 1 then 'a later version of this key stands' end) as reject_reason
from versioned
