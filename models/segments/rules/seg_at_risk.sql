select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    order_count >= {{ threshold('orders') }}
    and days_since_last_order > {{ threshold_days() }}
    and not days_since_last_order > {{ threshold_days(of='lapsed') }}
