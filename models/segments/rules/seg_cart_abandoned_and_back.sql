select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    seconds_since_last_product_view <= 3600 * {{ threshold('hours') }}
    and seconds_since_cart_touched - seconds_since_last_product_view > 60 * {{ threshold('minutes') }}
