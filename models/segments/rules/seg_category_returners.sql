select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    days_since_last_order > {{ threshold_days() }}
    and {{ list_has('categories_viewed_7d', threshold('category')) }}
