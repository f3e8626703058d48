select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    purchase_propensity_14d >= {{ threshold('score') }}
