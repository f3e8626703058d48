with segments as (
    select * from {{ ref('dim_segments') }}
),

memberships as (
    select * from {{ ref('fct_segment_memberships') }}
),

features as (
    select * from {{ ref('feat_customer_rfm') }}
),

member_features as (
    select
        memberships.segment_key,
        memberships.as_of_date,
        features.order_count,
        features.total_spend,
        features.spend_90d,
        features.days_since_last_order
    from memberships
    left join features
        on
            memberships.customer_id = features.customer_id
            and memberships.as_of_date = features.as_of_date
),

totals as (
    select sum(total_after_returns) as total_spend from {{ ref('fct_orders') }}
),

summed as (
    select
        segment_key,
        max(as_of_date) as as_of_date,
        sum(total_spend) as total_spend,
        sum(spend_90d) as spend_90d,
        sum(order_count) as order_count,
        median(days_since_last_order) as median_days_since_last_order
    from member_features
    group by segment_key
)

select
    -- keys
    segments.segment_key,
    summed.as_of_date,
    -- what it is
    segments.segment_name,
    segments.segment_type,
    -- size
    segments.member_count,
    segments.customer_share,
    -- amounts
    cast(coalesce(summed.total_spend, 0) as decimal(18, 2)) as total_spend,
    cast(coalesce(summed.spend_90d, 0) as decimal(18, 2)) as spend_90d,
    cast(coalesce(summed.total_spend, 0) as double) / nullif(cast(totals.total_spend as double), 0) as spend_share,
    cast(summed.total_spend as double) / nullif(cast(summed.order_count as double), 0) as mean_order_value,
    -- habits
    summed.median_days_since_last_order,
    segments.status
from segments
cross join totals
left join summed on segments.segment_key = summed.segment_key
