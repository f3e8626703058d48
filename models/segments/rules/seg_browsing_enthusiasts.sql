select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    session_count_of_one_category_28d >= {{ threshold('sessions') }}
