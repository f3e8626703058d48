select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    most_views_of_a_category_in_an_hour_7d > {{ threshold('views') }}
