select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    order_count_28d >= {{ threshold_times('orders', usual='usual_order_count_28d') }}
