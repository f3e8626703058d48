with memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

recipients as (
    {{ mailed_customers() }}
),

sale_lines as (
    select
        record_hash,
        product_id,
        order_date,
        counts_from,
        counts_until,
        sum(net_amount) as net_amount
    from {{ ref('int_activity__order_lines') }}
    where line_type = 'sale'
    group by record_hash, product_id, order_date, counts_from, counts_until
),

charged_lines as (
    select * from {{ ref('int_activity__order_lines') }}
),

returns as (
    select * from {{ ref('int_activity__returns') }}
),

coupons as (
    select * from {{ ref('stg_campaigns__coupons') }}
),

campaign_coupons as (
    select
        campaign_id,
        -- distinct: a coupon is listed once for each product it is good for
        count(distinct coupon_id) as coupon_count
    from coupons
    group by campaign_id
),

offer_products as (
    -- distinct: two coupons of one campaign may be good for the same product
    select distinct
        campaign_id,
        product_id
    from coupons
),

campaign_products as (
    select
        campaign_id,
        count(*) as offer_product_count
    from offer_products
    group by campaign_id
),

-- What was bought, and what was given back of it from its own day on.
product_days as (
    select
        record_hash,
        product_id,
        order_date,
        counts_from,
        counts_until,
        true as is_purchase,
        net_amount
    from sale_lines
    union all
    select
        charged_lines.record_hash,
        charged_lines.product_id,
        charged_lines.order_date,
        greatest(returns.returned_on, charged_lines.counts_from) as counts_from,
        charged_lines.counts_until,
        false as is_purchase,
        -returns.net_amount as net_amount
    from returns
    inner join charged_lines
        on
            returns.charged_order_id = charged_lines.order_id
            and returns.charged_line_number = charged_lines.line_number
),

bought_products as (
    select
        recipients.customer_id,
        recipients.campaign_id,
        product_days.product_id,
        count(distinct case when product_days.is_purchase then product_days.order_date end) as purchase_day_count,
        max(product_days.order_date) as last_order_date,
        sum(product_days.net_amount) as spend,
        sum(
            case
                when recipients.starts_on - 90 <= product_days.order_date then product_days.net_amount
                else 0
            end
        ) as spend_90d
    from recipients
    inner join memberships
        on
            recipients.customer_id = memberships.customer_id
            and {{ owned_at('recipients.starts_on') }}
    inner join product_days
        on
            memberships.record_hash = product_days.record_hash
            and recipients.starts_on > product_days.order_date
            and {{ counts_at('recipients.starts_on', 'product_days') }}
    inner join offer_products
        on
            recipients.campaign_id = offer_products.campaign_id
            and product_days.product_id = offer_products.product_id
    group by recipients.customer_id, recipients.campaign_id, product_days.product_id
),

product_matches as (
    select
        customer_id,
        campaign_id,
        count(*) as bought_offer_product_count,
        sum(purchase_day_count) as offer_purchase_count,
        max(last_order_date) as last_order_date,
        sum(spend) as offer_spend,
        sum(spend_90d) as offer_spend_90d
    from bought_products
    group by customer_id, campaign_id
),

coupon_matches as (
    select
        bought_products.customer_id,
        bought_products.campaign_id,
        -- distinct: a coupon matches once, however many of its products were bought
        count(distinct coupons.coupon_id) as matched_coupon_count
    from bought_products
    inner join coupons
        on
            bought_products.campaign_id = coupons.campaign_id
            and bought_products.product_id = coupons.product_id
    group by bought_products.customer_id, bought_products.campaign_id
),

joined as (
    select
        recipients.customer_id,
        recipients.campaign_id,
        recipients.campaign_type,
        recipients.starts_on,
        recipients.ends_on,
        product_matches.last_order_date,
        coalesce(campaign_coupons.coupon_count, 0) as coupon_count,
        coalesce(campaign_products.offer_product_count, 0) as offer_product_count,
        coalesce(coupon_matches.matched_coupon_count, 0) as matched_coupon_count,
        coalesce(product_matches.bought_offer_product_count, 0) as bought_offer_product_count,
        coalesce(product_matches.offer_purchase_count, 0) as offer_purchase_count,
        coalesce(product_matches.offer_spend, 0) as offer_spend,
        coalesce(product_matches.offer_spend_90d, 0) as offer_spend_90d
    from recipients
    left join campaign_coupons
        on recipients.campaign_id = campaign_coupons.campaign_id
    left join campaign_products
        on recipients.campaign_id = campaign_products.campaign_id
    left join product_matches
        on
            recipients.customer_id = product_matches.customer_id
            and recipients.campaign_id = product_matches.campaign_id
    left join coupon_matches
        on
            recipients.customer_id = coupon_matches.customer_id
            and recipients.campaign_id = coupon_matches.campaign_id
)

select
    -- keys
    customer_id,
    campaign_id,
    starts_on as as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- offer
    campaign_type,
    cast(ends_on - starts_on as integer) + 1 as campaign_days,
    cast(coupon_count as integer) as coupon_count,
    cast(offer_product_count as integer) as offer_product_count,
    -- fit to the customer
    cast(matched_coupon_count as integer) as matched_coupon_count,
    cast(bought_offer_product_count as integer) as bought_offer_product_count,
    cast(offer_purchase_count as integer) as offer_purchase_count,
    cast(starts_on - last_order_date as integer) as days_since_last_offer_purchase,
    -- amounts
    cast(offer_spend as decimal(18, 2)) as offer_spend,
    cast(offer_spend_90d as decimal(18, 2)) as offer_spend_90d
from joined
