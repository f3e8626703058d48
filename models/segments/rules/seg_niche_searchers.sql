select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    niche_search_count_28d >= {{ threshold('searches') }}
