-- Whether somebody clicked in the e-mails of a campaign: asked of those whom one of them reached.
{%- set business_timezone = setting('shop.business_timezone') %}

with memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

messages as (
    select * from {{ ref('stg_email__messages') }}
    where
        campaign_id is not null
        and email is not null
        and delivered_at is not null
),

recipients as (
    {{ mailed_customers() }}
),

orders as (
    select * from {{ ref('int_activity__orders') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

mails as (
    select
        {{ record_hash("'emails'", 'email') }} as record_hash,
        campaign_id,
        cast({{ local_time('delivered_at', business_timezone) }} as date) as delivered_on,
        cast({{ local_time('clicked_by_person_at', business_timezone) }} as date) as clicked_on
    from messages
),

bounds as (
    select
        as_of_dates.as_of_date as current_as_of_date,
        min(orders.order_date) as first_order_date
    from as_of_dates
    cross join orders
    where as_of_dates.is_current
    group by as_of_dates.as_of_date
),

labelled_recipients as (
    -- the same campaigns as those of label_redemption
    select
        recipients.customer_id,
        recipients.campaign_id,
        recipients.starts_on,
        least(recipients.ends_on, bounds.current_as_of_date - 1) as label_ends_on
    from recipients
    inner join bounds
        on
            recipients.starts_on > bounds.first_order_date
            and recipients.starts_on < bounds.current_as_of_date
),

reached as (
    select
        labelled_recipients.customer_id,
        labelled_recipients.campaign_id,
        labelled_recipients.starts_on,
        labelled_recipients.label_ends_on,
        min(mails.delivered_on) as first_delivered_on,
        min(
            case when mails.clicked_on <= labelled_recipients.label_ends_on then mails.clicked_on end
        ) as first_clicked_on
    from labelled_recipients
    inner join memberships
        on
            labelled_recipients.customer_id = memberships.customer_id
            and {{ owned_at('labelled_recipients.starts_on') }}
    inner join mails
        on
            memberships.record_hash = mails.record_hash
            and labelled_recipients.campaign_id = mails.campaign_id
            and labelled_recipients.starts_on <= mails.delivered_on
            and labelled_recipients.label_ends_on >= mails.delivered_on
    group by
        labelled_recipients.customer_id,
        labelled_recipients.campaign_id,
        labelled_recipients.starts_on,
        labelled_recipients.label_ends_on
)

select
    -- keys
    customer_id,
    campaign_id,
    starts_on as as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- window
    label_ends_on,
    first_delivered_on,
    -- labels
    first_clicked_on,
    cast(case when first_clicked_on is null then 0 else 1 end as integer) as has_clicked
from reached
