select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    {{ is_in_segment('high_purchase_intent') }}
    and {{ list_has('products_viewed_48h', threshold('product_id')) }}
