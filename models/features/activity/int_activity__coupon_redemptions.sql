{%- set business_timezone = setting('shop.business_timezone') %}

select
    -- keys
    {{ record_hash("'coupon_redemptions'", 'loyalty_id') }} as record_hash,
    campaign_id,
    coupon_id,
    1 as redemption_count,
    -- dates
    redeemed_on,
    {% if feature_basis() == 'as_known' -%}
        greatest(redeemed_on, cast({{ local_time('known_at', business_timezone) }} as date)) as counts_from,
    {%- else -%}
        redeemed_on as counts_from,
    {%- endif %}
    cast(null as date) as counts_until
from {{ ref('stg_campaigns__coupon_redemptions') }}
where loyalty_id is not null
