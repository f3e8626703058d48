select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    active_month_count_6m >= {{ threshold('months') }}
    and engagement_score >= {{ threshold('engagement') }}
