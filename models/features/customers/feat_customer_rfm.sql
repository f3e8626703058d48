{%- set windows = feature_windows() %}

with computed as (
    select * from {{ ref('int_features__rfm').include(database=false) }}
),

history as (
    select * from {{ ref('int_as_of_history').include(database=false) }}
    where source = 'orders'
),

ranked as (
    -- rank() gives ties one place: whoever last bought on the same day gets the same score, and so do all
    -- one-time buyers; ntile() would cut through ties in an order that may differ from run to run
    select
        *,
        count(*) over (partition by as_of_date) as customer_count,
        rank() over (partition by as_of_date order by days_since_last_order) as last_order_rank,
        rank() over (partition by as_of_date order by order_count) as order_count_rank,
        rank() over (partition by as_of_date order by total_spend) as spend_rank
    from computed
),

scored as (
    select
        *,
        cast(5 - floor(5 * (last_order_rank - 1) / customer_count) as integer) as last_order_score,
        cast(1 + floor(5 * (order_count_rank - 1) / customer_count) as integer) as order_count_score,
        cast(1 + floor(5 * (spend_rank - 1) / customer_count) as integer) as spend_score
    from ranked
),

named as (
    -- read from top to bottom: the first line that fits names the customer
    select
        *,
        case
            when last_order_score >= 4 and order_count_score >= 4 and spend_score >= 4 then 'Champions'
            when last_order_score >= 3 and order_count_score >= 4 then 'Loyal regulars'
            when last_order_score >= 3 and spend_score >= 4 then 'Big spenders'
            when last_order_score >= 4 and customer_age_days <= 56 then 'New customers'
            when last_order_score >= 4 and order_count_score >= 2 then 'Promising'
            when last_order_score >= 3 then 'Occasional shoppers'
            when order_count_score >= 4 and spend_score >= 4 then 'Slipping away: top customers'
            when order_count_score >= 3 or spend_score >= 3 then 'Slipping away'
            when last_order_score = 2 then 'Going quiet'
            else 'Lapsed'
        end as rfm_cell
    from scored
)

select
    -- keys
    named.customer_id,
    named.as_of_date,
    named.identity_basis,
    -- time
    named.customer_age_days,
    named.days_since_last_order,
    named.median_days_between_orders,
    cast(named.days_since_last_order as double) / named.median_days_between_orders as order_gap_ratio,
    -- counts
    named.order_count,
    {% for window in windows -%}
        {{ windowed('order_count', window) }},
    {% endfor -%}
    {% for window in windows -%}
        {{ windowed('purchase_day_count', window) }},
    {% endfor -%}
    cast(named.purchase_day_count - 1 as integer) as repeat_purchase_day_count,
    -- amounts
    named.total_spend,
    {% for window in windows -%}
        {{ windowed('total_spend', window, as_name='spend') }},
    {% endfor -%}
    cast(named.total_spend as double) / cast(named.order_count as double) as mean_order_value,
    -- scores
    named.last_order_score,
    named.order_count_score,
    named.spend_score,
    named.rfm_cell
from named
inner join history on named.as_of_date = history.as_of_date
