{% set horizon_days = setting('models.purchase.horizon_days') %}

with customers as (
    select
        customer_id,
        as_of_date
    from {{ ref('feat_customer_rfm') }}
),

customer_days as (
    select * from {{ ref('int_activity__customer_days') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

observed as (
    -- only dates whose whole window lies before the current as-of date: a window cut short is not a "no"
    select
        as_of_dates.as_of_date,
        newest.as_of_date as current_as_of_date
    from as_of_dates
    inner join as_of_dates as newest
        on
            newest.is_current
            and as_of_dates.as_of_date + {{ horizon_days }} <= newest.as_of_date
),

population as (
    select
        customers.customer_id,
        observed.as_of_date
    from observed
    inner join customers
        on observed.as_of_date = customers.as_of_date
),

-- What came of it, as far as is known at the current as-of date: what was bought and came back is no purchase.
purchases as (
    select
        customer_days.customer_id,
        observed.as_of_date,
        sum(customer_days.order_total) as spend
    from observed
    inner join customer_days
        on
            observed.as_of_date <= customer_days.order_date
            and observed.as_of_date + {{ horizon_days }} > customer_days.order_date
            and {{ known_before('observed.current_as_of_date') }}
    group by customer_days.customer_id, observed.as_of_date
)

select
    -- keys
    population.customer_id,
    population.as_of_date,
    -- window
    cast({{ horizon_days }} as integer) as horizon_days,
    -- labels
    cast(case when purchases.customer_id is null then 0 else 1 end as integer) as has_purchased,
    cast(coalesce(purchases.spend, 0) as decimal(18, 2)) as spend
from population
left join purchases
    on
        population.customer_id = purchases.customer_id
        and population.as_of_date = purchases.as_of_date
