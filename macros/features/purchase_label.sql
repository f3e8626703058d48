{#-
    Whether and for how much each customer bought in [as_of_date, as_of_date + horizon_days), for the dates whose whole
    window was observed: the body of the labels about buying.
-#}
{%- macro purchase_label(horizon_days) -%}
with population as (
    select
        customer_id,
        as_of_date,
        identity_basis
    from {{ ref('int_features__rfm') }}
),

memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

purchase_days as (
    select * from {{ ref('int_activity__purchase_days') }}
),

observed as (
    {{ observed_dates(horizon_days) }}
),

-- What came of it, as far as is known at the current as-of date: what was bought and came back is no purchase.
purchases as (
    select
        memberships.customer_id,
        observed.as_of_date,
        sum(purchase_days.net_amount) as spend
    from observed
    inner join purchase_days
        on
            observed.as_of_date <= purchase_days.day
            and observed.as_of_date + {{ horizon_days }} > purchase_days.day
            and {{ counts_at('observed.current_as_of_date', 'purchase_days') }}
    inner join memberships
        on
            purchase_days.record_hash = memberships.record_hash
            and {{ owned_at('observed.as_of_date') }}
    group by memberships.customer_id, observed.as_of_date
    having sum(purchase_days.order_count) > 0
)

select
    -- keys
    population.customer_id,
    population.as_of_date,
    population.identity_basis,
    -- window
    cast({{ horizon_days }} as integer) as horizon_days,
    -- labels
    cast(case when purchases.customer_id is null then 0 else 1 end as integer) as has_purchased,
    cast(coalesce(purchases.spend, 0) as decimal(18, 2)) as spend
from population
inner join observed on population.as_of_date = observed.as_of_date
left join purchases
    on
        population.customer_id = purchases.customer_id
        and population.as_of_date = purchases.as_of_date
{%- endmacro -%}
