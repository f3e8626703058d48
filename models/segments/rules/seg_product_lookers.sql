select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    most_views_of_a_product_not_engaged_with_7d > {{ threshold('views') }}
    and coalesce(order_count_7d, 0) = 0
