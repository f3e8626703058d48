select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    customer_age_days <= {{ threshold_days() }}
