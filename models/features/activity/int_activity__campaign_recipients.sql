{%- set business_timezone = setting('shop.business_timezone') %}

with recipients as (
    select * from {{ ref('stg_campaigns__recipients') }}
),

campaigns as (
    select * from {{ ref('stg_campaigns__campaigns') }}
)

select
    -- keys
    {{ record_hash("'campaign_recipients'", 'recipients.loyalty_id') }} as record_hash,
    recipients.campaign_id,
    -- campaign
    campaigns.campaign_type,
    campaigns.starts_on,
    campaigns.ends_on,
    -- as of dates after the one
    {% if feature_basis() == 'as_known' -%}
        greatest(
            campaigns.starts_on, cast({{ local_time('recipients.known_at', business_timezone) }} as date)
        ) as counts_from,
    {%- else -%}
        campaigns.starts_on as counts_from,
    {%- endif %}
    cast(null as date) as counts_until
from recipients
inner join campaigns on recipients.campaign_id = campaigns.campaign_id
where recipients.loyalty_id is not null
