with orders as (
    select * from {{ ref('int_activity__orders') }}
),

campaigns as (
    select * from {{ ref('stg_campaigns__campaigns') }}
),

bounds as (
    select
        cast({{ as_of_date() }} as date) as current_as_of_date,
        min(order_date) as first_order_date
    from orders
),

digits as (
    select numbers.digit
    from (values (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) as numbers (digit)
),

steps as (
    -- 1,000 steps are 19 years of weeks; a series function or a recursive query would be less portable
    select hundreds.digit * 100 + tens.digit * 10 + ones.digit as step_number
    from digits as hundreds
    cross join digits as tens
    cross join digits as ones
),

grid as (
    select
        bounds.current_as_of_date
        - {{ setting('features.as_of_step_days') }} * steps.step_number as as_of_date
    from steps
    cross join bounds
),

scheduled as (
    -- the first weeks are left out: there is nothing to look back on yet
    select grid.as_of_date
    from grid
    inner join bounds
        on
            grid.as_of_date >= bounds.first_order_date + {{ setting('features.min_history_days') }}
            or grid.as_of_date = bounds.current_as_of_date
),

campaign_starts as (
    select campaigns.starts_on as as_of_date
    from campaigns
    inner join bounds
        on
            campaigns.starts_on > bounds.first_order_date
            and campaigns.starts_on <= bounds.current_as_of_date
),

unioned as (
    select
        as_of_date,
        1 as is_scheduled,
        0 as is_campaign_start
    from scheduled
    union all
    select
        as_of_date,
        0 as is_scheduled,
        1 as is_campaign_start
    from campaign_starts
),

flagged as (
    select
        unioned.as_of_date,
        max(case when unioned.as_of_date = bounds.current_as_of_date then 1 else 0 end) as is_current,
        max(unioned.is_scheduled) as is_scheduled,
        max(unioned.is_campaign_start) as is_campaign_start
    from unioned
    cross join bounds
    group by unioned.as_of_date
)

select
    -- keys
    as_of_date,
    -- why the date is here
    is_current = 1 as is_current,
    is_scheduled = 1 as is_scheduled,
    is_campaign_start = 1 as is_campaign_start
from flagged
