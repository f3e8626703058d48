-- Whether each customer bought in the next 7, 14 and 28 days: what the purchase propensities learn from.
{% set horizons = [7, 14, 28] %}

-- noqa: disable=LT02
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
    {{ observed_dates(horizons | min) }}
),

-- What was bought and came back is no purchase: a day's orders are counted less those given back since.
purchases as (
    select
        memberships.customer_id,
        observed.as_of_date,
        {% for days in horizons -%}
            sum(
                case when observed.as_of_date + {{ days }} > purchase_days.day then purchase_days.order_count else 0 end
            ) as order_count_{{ days }}d{{ ',' if not loop.last }}
        {% endfor %}
    from observed
    inner join purchase_days
        on
            observed.as_of_date <= purchase_days.day
            and observed.as_of_date + {{ horizons | max }} > purchase_days.day
            and {{ counts_at('observed.current_as_of_date', 'purchase_days') }}
    inner join memberships
        on
            purchase_days.record_hash = memberships.record_hash
            and {{ owned_at('observed.as_of_date') }}
    group by memberships.customer_id, observed.as_of_date
)

select
    -- keys
    population.customer_id,
    population.as_of_date,
    population.identity_basis,
    -- labels
    {% for days in horizons -%}
        case
            when observed.as_of_date + {{ days }} > observed.current_as_of_date then null
            when coalesce(purchases.order_count_{{ days }}d, 0) > 0 then 1
            else 0
        end as has_purchased_{{ days }}d{{ ',' if not loop.last }}
    {% endfor %}
from population
inner join observed on population.as_of_date = observed.as_of_date
left join purchases
    on
        population.customer_id = purchases.customer_id
        and population.as_of_date = purchases.as_of_date
