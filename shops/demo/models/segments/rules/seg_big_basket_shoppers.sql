select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where mean_order_value >= {{ threshold('amount') }}
