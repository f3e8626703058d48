select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    seconds_since_last_event > 3600 * {{ threshold_times('hours', usual='usual_hours_between_visits') }}
