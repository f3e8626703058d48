select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    coming_season_spend_ratio >= {{ threshold('ratio') }}
