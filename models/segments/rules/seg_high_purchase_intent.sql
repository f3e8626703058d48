select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    product_view_count_7d >= {{ threshold_times('views', usual='usual_product_view_count_7d') }}
    and add_count_7d >= {{ threshold('adds') }}
    and days_since_last_mail_opened <= {{ threshold('opened_days') }}
