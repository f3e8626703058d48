select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    most_views_of_a_product_7d >= {{ threshold('views') }}
    and promotion_click_count_7d >= {{ threshold('clicks') }}
