-- Silence is churn where it is long for this customer: the horizon is a multiple of its usual pause, as known then.
{% set gap_multiple = setting('models.churn.gap_multiple') %}
{% set min_days, max_days = setting('models.churn.min_horizon_days'), setting('models.churn.max_horizon_days') %}

with population as (
    select
        customer_id,
        as_of_date,
        identity_basis,
        -- who bought once has no rhythm, and gets the longest time
        cast(
            greatest({{ min_days }}, least(
                {{ max_days }}, coalesce(ceil(median_days_between_orders * {{ gap_multiple }}), {{ max_days }})
            )) as integer
        ) as horizon_days
    from {{ ref('int_features__rfm') }}
),

memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

purchase_days as (
    select * from {{ ref('int_activity__purchase_days') }}
),

newest as (
    select as_of_date from {{ ref('int_as_of_dates') }}
    where is_current
),

observed as (
    -- a horizon that is not over yet says nothing
    select
        population.*,
        newest.as_of_date as current_as_of_date
    from population
    inner join newest on population.as_of_date + population.horizon_days <= newest.as_of_date
),

bought as (
    select
        observed.customer_id,
        observed.as_of_date
    from observed
    inner join memberships
        on
            observed.customer_id = memberships.customer_id
            and {{ owned_at('observed.as_of_date') }}
    inner join purchase_days
        on
            memberships.record_hash = purchase_days.record_hash
            and observed.as_of_date <= purchase_days.day
            and observed.as_of_date + observed.horizon_days > purchase_days.day
            and {{ counts_at('observed.current_as_of_date', 'purchase_days') }}
    group by observed.customer_id, observed.as_of_date
    having sum(purchase_days.order_count) > 0
)

select
    -- keys
    observed.customer_id,
    observed.as_of_date,
    observed.identity_basis,
    -- window
    observed.horizon_days,
    -- labels
    cast(case when bought.customer_id is null then 1 else 0 end as integer) as has_churned
from observed
left join bought
    on
        observed.customer_id = bought.customer_id
        and observed.as_of_date = bought.as_of_date
