select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    engagement_score > {{ threshold('score') }}
