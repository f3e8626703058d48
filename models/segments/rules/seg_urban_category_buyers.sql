select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    {{ list_has('categories_bought_30d', threshold('category')) }}
    and {{ attribute_is(threshold('urban_attribute'), threshold('urban_value')) }}
    and mail_open_share_90d >= {{ threshold('open_share') }}
    and not coalesce(has_unsubscribed, false)
