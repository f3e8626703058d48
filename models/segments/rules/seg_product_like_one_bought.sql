select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    most_views_of_a_product_like_one_bought_7d > {{ threshold('views') }}
