with events as (
    select * from {{ ref('int_intent__events') }}
    where
        event_name in ('Product Viewed', 'Product Added')
        and product_id is not null
)

-- noqa: disable=LT02
select
    -- keys
    customer_id,
    product_category,
    as_of_at,
    '{{ feature_basis() }}' as identity_basis,
    -- counts
    {{ intent_counts('category_intent') }}
from events
group by customer_id, product_category, as_of_at
