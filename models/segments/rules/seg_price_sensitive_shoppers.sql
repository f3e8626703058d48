select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    discounted_view_share >= {{ threshold('discounted_views') }}
    and product_view_count >= {{ threshold('views') }}
    and mean_order_value_rank <= {{ threshold('order_value_quantile') }}
