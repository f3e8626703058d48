with memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

recipients as (
    {{ mailed_customers() }}
),

redemptions as (
    select
        memberships.customer_id,
        memberships.known_from,
        memberships.known_until,
        redeemed.campaign_id,
        redeemed.redeemed_on
    from {{ ref('int_activity__coupon_redemptions') }} as redeemed
    inner join memberships on redeemed.record_hash = memberships.record_hash
),

orders as (
    select * from {{ ref('int_activity__orders') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
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
    -- a campaign that started before the first order cannot be predicted: nothing was known about anyone
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

first_redemptions as (
    select
        labelled_recipients.customer_id,
        labelled_recipients.campaign_id,
        min(redemptions.redeemed_on) as first_redeemed_on
    from labelled_recipients
    inner join redemptions
        on
            labelled_recipients.customer_id = redemptions.customer_id
            and labelled_recipients.campaign_id = redemptions.campaign_id
            and labelled_recipients.starts_on <= redemptions.redeemed_on
            and labelled_recipients.label_ends_on >= redemptions.redeemed_on
            and {{ owned_at('labelled_recipients.starts_on', 'redemptions') }}
    group by labelled_recipients.customer_id, labelled_recipients.campaign_id
)

select
    -- keys
    labelled_recipients.customer_id,
    labelled_recipients.campaign_id,
    labelled_recipients.starts_on as as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- window
    labelled_recipients.label_ends_on,
    -- labels
    first_redemptions.first_redeemed_on,
    cast(case when first_redemptions.customer_id is null then 0 else 1 end as integer) as has_redeemed
from labelled_recipients
left join first_redemptions
    on
        labelled_recipients.customer_id = first_redemptions.customer_id
        and labelled_recipients.campaign_id = first_redemptions.campaign_id
