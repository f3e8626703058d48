with customers as (
    select * from {{ ref('int_identity__customers') }}
),

customer_index as (
    select * from {{ ref('master_customer_index') }}
    where
        source_system = 'orders'
        and valid_to is null
),

-- As far as is known by now: an order that was taken back does not count.
purchase_days as (
    select * from {{ ref('int_activity__purchase_days') }}
    where counts_until is null
),

features as (
    select * from {{ ref('feat_customer_rfm') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

bought as (
    select
        customer_index.customer_id,
        min(purchase_days.day) as first_order_date,
        max(purchase_days.day) as last_order_date,
        sum(purchase_days.order_count) as order_count,
        sum(purchase_days.net_amount) as total_spend
    from purchase_days
    inner join customer_index
        on purchase_days.record_hash = {{ record_hash("'orders'", 'customer_index.source_record_id') }}
    group by customer_index.customer_id
    having sum(purchase_days.order_count) > 0
),

current_cells as (
    select
        features.customer_id,
        features.rfm_cell
    from features
    inner join as_of_dates on features.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_current
),

primary_segments as (
    select
        customer_id,
        segment_key
    from {{ ref('int_segments__memberships') }}
    where is_primary
)

select
    -- keys
    customers.customer_id,
    -- demographics
    customers.age_band,
    customers.income_band,
    customers.home_ownership,
    customers.marital_status,
    customers.household_size,
    customers.household_composition,
    customers.kids_count,
    -- buying, over all landed orders
    bought.first_order_date,
    bought.last_order_date,
    cast(coalesce(bought.order_count, 0) as integer) as order_count,
    cast(coalesce(bought.total_spend, 0) as decimal(18, 2)) as total_spend,
    coalesce(current_cells.rfm_cell, 'No order yet') as rfm_cell,
    -- segment
    primary_segments.segment_key as primary_segment_key
from customers
left join bought on customers.customer_id = bought.customer_id
left join current_cells on customers.customer_id = current_cells.customer_id
left join primary_segments on customers.customer_id = primary_segments.customer_id
