select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    days_since_last_order > {{ threshold_days() }}
    and days_since_last_order > {{ threshold_days(of='lapsed') }}
