select
    customer_id,
    as_of_date,
    threshold_form
from {{ customers() }}
where
    age_band = {{ threshold('age_band') }}
    and {{ attribute_is(threshold('urban_attribute'), threshold('urban_value')) }}
    and mail_click_share_30d >= {{ threshold('click_share') }}
