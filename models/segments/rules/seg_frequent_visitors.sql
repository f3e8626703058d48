select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    session_count_28d / 4.0 > {{ threshold_times('visits', usual='usual_session_count_7d') }}
