with recipients as (
    select * from {{ ref('stg_campaigns__recipients') }}
),

campaigns as (
    select * from {{ ref('stg_campaigns__campaigns') }}
),

customers as (
    select
        source_record_id,
        customer_id
    from {{ ref('master_customer_index') }}
    where
        source_system = 'campaign_recipients'
        and valid_to is null
),

resolved as (
    -- distinct: two cards of one customer may be on the list of the same campaign
    select distinct
        customers.customer_id,
        recipients.campaign_id,
        campaigns.campaign_type,
        campaigns.starts_on,
        campaigns.ends_on
    from recipients
    inner join customers
        on recipients.loyalty_id = customers.source_record_id
    inner join campaigns
        on recipients.campaign_id = campaigns.campaign_id
)

select
    -- keys
    customer_id,
    campaign_id,
    -- campaign
    campaign_type,
    starts_on,
    ends_on
from resolved
