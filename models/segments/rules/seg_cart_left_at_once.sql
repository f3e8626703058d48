select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    seconds_since_cart_touched <= 3600 * {{ threshold('hours') }}
    and seconds_cart_stayed <= 60 * {{ threshold('minutes') }}
    and seconds_since_last_event > 60 * {{ setting('web.session_idle_minutes') }}
