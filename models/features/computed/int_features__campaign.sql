with {{ over_time([
    {
        'relation': 'int_activity__campaign_recipients',
        'day': 'starts_on',
        'spans': true,
        'distinct': {'campaigns_received': {'of': 'campaign_id', 'windows': [none]}},
        'latest': {'last_starts_on': 'starts_on'},
    },
    {
        'relation': 'int_activity__coupon_redemptions',
        'day': 'redeemed_on',
        'spans': true,
        'sums': {'coupons_redeemed': {'of': 'redemption_count', 'windows': [none]}},
        'distinct': {'campaigns_redeemed': {'of': 'campaign_id', 'windows': [none]}},
        'latest': {'last_redeemed_on': 'redeemed_on'},
    },
]) }}

select
    -- keys
    customer_id,
    as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- counts
    cast(campaigns_received as integer) as campaigns_received,
    cast(campaigns_redeemed as integer) as campaigns_redeemed,
    cast(coupons_redeemed as integer) as coupons_redeemed,
    -- time
    cast(as_of_date - last_starts_on as integer) as days_since_last_campaign,
    cast(as_of_date - last_redeemed_on as integer) as days_since_last_redemption
from over_time
where campaigns_received > 0 or coupons_redeemed > 0
