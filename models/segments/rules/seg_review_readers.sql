select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    content_view_count_28d >= {{ threshold_times('pages', usual='usual_content_view_count_28d') }}
