select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    retail_discount_share >= {{ threshold('discount_share') }}
