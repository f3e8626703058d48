select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    seconds_since_cart_touched > 3600 * {{ threshold('hours') }}
