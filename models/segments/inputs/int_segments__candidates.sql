-- Each customer at each date at which rules are evaluated, with all that rules ask about them. Who has no such source,
-- or has not done such a thing yet, has null there, and fulfils no rule that asks.

{%- set of_tables = {
    'rfm': [
        'customer_age_days', 'days_since_last_order', 'median_days_between_orders', 'order_count', 'order_count_7d',
        'order_count_28d', 'order_count_90d', 'total_spend', 'spend_28d', 'spend_90d', 'mean_order_value', 'rfm_cell',
    ],
    'basket': ['repeat_line_share', 'weekend_order_share', 'evening_order_share', 'preferred_channel', 'category_count'],
    'taste': ['favorite_category', 'category_entropy', 'price_index', 'coming_season_spend_ratio'],
    'discount': ['retail_discount_share', 'coupon_order_count_90d'],
    'campaign': ['campaigns_received', 'campaigns_redeemed', 'campaign_response_rate'],
    'engagement': [
        'days_since_first_seen', 'days_since_last_seen', 'session_count', 'session_count_7d', 'session_count_28d',
        'product_view_count', 'product_view_count_7d', 'product_view_count_28d', 'add_count_7d', 'add_count_28d',
        'search_count_28d', 'content_view_count', 'content_view_count_28d', 'visit_day_count_28d',
        'discounted_view_share', 'cart_abandonment_share', 'preferred_device', 'engagement_score',
    ],
    'email': [
        'days_since_last_mail_opened', 'mail_sent_count_90d', 'mail_opened_count_90d', 'mail_clicked_count_90d',
        'has_unsubscribed',
    ],
    'profile': ['age_band', 'income_band', 'household_size', 'household_composition', 'region'],
} %}
{%- set zone = setting('shop.business_timezone') %}

-- noqa: disable=LT02
with dates as (
    select * from {{ ref('int_segments__dates') }}
),

{% for table in of_tables -%}
{{ table }} as (
    select features.*
    from {{ ref('feat_customer_' ~ table) }} as features
    inner join dates on features.as_of_date = dates.as_of_date
),

{% endfor -%}
-- everybody: whoever has a record, or was seen on the web
customers as (
    {% for table in ['profile', 'engagement', 'rfm'] -%}
        select
            customer_id,
            as_of_date
        from {{ table }}
        {{ 'union' if not loop.last }}
    {% endfor -%}
),

memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

attributes as (
    select
        features.customer_id,
        features.as_of_date,
        {{ map_of('features.attribute', 'features.attribute_value') }} as attributes
    from {{ ref('feat_customer_attribute') }} as features
    inner join dates on features.as_of_date = dates.as_of_date
    group by features.customer_id, features.as_of_date
),

purchase_days as (
    select
        memberships.customer_id,
        dates.as_of_date,
        count(distinct cast(floor((dates.as_of_date - 1 - purchase_days.day) / 30) as integer)) as active_month_count_6m
    from dates
    inner join {{ ref('int_activity__purchase_days') }} as purchase_days
        on
            dates.as_of_date > purchase_days.day
            and dates.as_of_date - 180 <= purchase_days.day
            and {{ counts_at('dates.as_of_date', 'purchase_days') }}
    inner join memberships
        on
            purchase_days.record_hash = memberships.record_hash
            and {{ owned_at('dates.as_of_date') }}
    where purchase_days.order_count > 0
    group by memberships.customer_id, dates.as_of_date
),

mails as (
    select
        memberships.customer_id,
        dates.as_of_date,
        sum(mails.sent_count) as mail_sent_count_30d,
        sum(mails.opened_count) as mail_opened_count_30d,
        sum(mails.clicked_count) as mail_clicked_count_30d
    from dates
    inner join {{ ref('int_activity__mails') }} as mails
        on
            dates.as_of_date - 30 <= mails.day
            and {{ counts_at('dates.as_of_date', 'mails') }}
    inner join memberships
        on
            mails.record_hash = memberships.record_hash
            and {{ owned_at('dates.as_of_date') }}
    group by memberships.customer_id, dates.as_of_date
),

bought as (
    select
        memberships.customer_id,
        dates.as_of_date,
        {{ list_of_distinct('purchased.product_category') }} as categories_bought_30d
    from dates
    inner join {{ ref('int_activity__purchased_categories') }} as purchased
        on
            dates.as_of_date > purchased.day
            and dates.as_of_date - 30 <= purchased.day
            and {{ counts_at('dates.as_of_date', 'purchased') }}
    inner join memberships
        on
            purchased.record_hash = memberships.record_hash
            and {{ owned_at('dates.as_of_date') }}
    group by memberships.customer_id, dates.as_of_date
),

habits as (
    select * from {{ ref('int_segments__web_habits') }}
),

carts as (
    select * from {{ ref('int_segments__carts') }}
),

scores as (
    select
        customer_id,
        as_of_date,
        max(case when model_name = 'purchase_propensity_14d' then score end) as purchase_propensity_14d,
        max(case when model_name = 'buy_readiness' then score end) as buy_readiness
    from {{ ref('int_scores__scores') }}
    where campaign_id is null
    group by customer_id, as_of_date
),

-- what is usual for all, for those who have no rhythm of their own yet
rhythms as (
    select
        as_of_date,
        median(median_days_between_orders) as median_days_between_orders
    from rfm
    group by as_of_date
),

ranked as (
    select
        customer_id,
        as_of_date,
        percent_rank() over (partition by as_of_date order by spend_90d) as spend_90d_rank,
        percent_rank() over (partition by as_of_date order by total_spend) as total_spend_rank,
        percent_rank() over (partition by as_of_date order by mean_order_value) as mean_order_value_rank
    from rfm
)

select
    -- keys
    customers.customer_id,
    customers.as_of_date,
    -- features, as they are
    {% for table, columns in of_tables.items() -%}
        {% for column in columns -%}
            {{ table }}.{{ column }},
        {% endfor -%}
    {% endfor -%}
    attributes.attributes,
    -- rhythm: what is usual for this customer
    coalesce(rfm.median_days_between_orders, rhythms.median_days_between_orders) as rhythm_days,
    28.0 * rfm.order_count / greatest(rfm.customer_age_days, 28) as usual_order_count_28d,
    7.0 * engagement.product_view_count / greatest(engagement.days_since_first_seen, 7) as usual_product_view_count_7d,
    7.0 * engagement.session_count / greatest(engagement.days_since_first_seen, 7) as usual_session_count_7d,
    28.0 * engagement.content_view_count / greatest(engagement.days_since_first_seen, 28)
        as usual_content_view_count_28d,
    24.0 * 28 / nullif(engagement.visit_day_count_28d, 0) as usual_hours_between_visits,
    -- place among all buyers of the date, 0 to 1
    ranked.spend_90d_rank,
    ranked.total_spend_rank,
    ranked.mean_order_value_rank,
    -- orders
    cast(coalesce(purchase_days.active_month_count_6m, 0) as integer) as active_month_count_6m,
    bought.categories_bought_30d,
    -- mail
    cast(mails.mail_opened_count_30d as integer) as mail_opened_count_30d,
    cast(mails.mail_clicked_count_30d as double) / nullif(mails.mail_sent_count_30d, 0) as mail_click_share_30d,
    cast(email.mail_opened_count_90d as double) / nullif(email.mail_sent_count_90d, 0) as mail_open_share_90d,
    -- web
    habits.seconds_since_last_event,
    habits.seconds_since_last_product_view,
    habits.product_view_count_24h,
    habits.price_view_count_7d,
    habits.promotion_click_count_7d,
    habits.most_views_of_a_product_7d,
    habits.most_views_of_a_product_not_engaged_with_7d,
    habits.most_views_of_a_product_like_one_bought_7d,
    habits.most_views_of_a_category_in_a_session_7d,
    habits.most_views_of_a_category_in_an_hour_7d,
    habits.session_count_of_one_category_28d,
    habits.niche_search_count_28d,
    habits.products_viewed_48h,
    habits.categories_viewed_7d,
    -- cart
    carts.cart_value,
    carts.seconds_since_touched as seconds_since_cart_touched,
    carts.seconds_stayed as seconds_cart_stayed,
    carts.hesitation_count as cart_hesitation_count,
    -- scores
    scores.purchase_propensity_14d,
    scores.buy_readiness
from customers
left join rhythms on customers.as_of_date = rhythms.as_of_date
{% for table in of_tables.keys() | list + [
    'attributes', 'ranked', 'purchase_days', 'bought', 'mails', 'habits', 'carts', 'scores'
] -%}
left join {{ table }}
    on
        customers.customer_id = {{ table }}.customer_id
        and customers.as_of_date = {{ table }}.as_of_date
{% endfor -%}
