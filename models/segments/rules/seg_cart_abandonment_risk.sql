select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    cart_value is not null
    and
    case when seconds_since_cart_touched > 60 * {{ threshold('minutes') }} then 1 else 0 end
    + case when cart_hesitation_count >= {{ threshold('hesitations') }} then 1 else 0 end
    + case when cart_abandonment_share >= {{ threshold('left_share') }} then 1 else 0 end
    >= {{ threshold('signs') }}
