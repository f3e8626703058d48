select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    most_views_of_a_product_7d >= {{ threshold('views') }}
    and mail_opened_count_30d >= {{ threshold('mails_opened') }}
    and coalesce(order_count_7d, 0) = 0
