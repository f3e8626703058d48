select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    seconds_since_cart_touched > 60 * {{ threshold('minutes') }}
    and product_view_count_24h >= {{ threshold('views') }}
