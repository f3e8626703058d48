select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    spend_90d_rank >= {{ threshold('quantile') }}
