select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    most_views_of_a_category_in_a_session_7d > {{ threshold('views') }}
