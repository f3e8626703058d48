-- What each customer spent in windows as long as lifetime value looks ahead, as it was paid and discounted to their
-- first day.
{#- While dbt parses, no setting is read; one horizon shows it what the model depends on. #}
{% set horizons = setting_value('models.lifetime_value.horizons_days') or [90] %}
{% set yearly_discount = setting('models.lifetime_value.yearly_discount') %}

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

{% for horizon_days in horizons -%}
    observed_{{ horizon_days }} as (
        {{ observed_dates(horizon_days) }}
    ),

{% endfor -%}

observed as (
    {% for horizon_days in horizons -%}
        select
            {{ horizon_days }} as horizon_days,
            as_of_date,
            current_as_of_date
        from observed_{{ horizon_days }}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- What came of it, as far as is known at the current as-of date: what was bought and came back is no purchase.
purchases as (
    select
        memberships.customer_id,
        observed.as_of_date,
        observed.horizon_days,
        sum(purchase_days.net_amount) as spend,
        -- rounded before it is summed: a sum of doubles would depend on the order of the rows
        sum(
            cast(
                purchase_days.net_amount
                * power(
                    1 + {{ yearly_discount }}, -cast(purchase_days.day - observed.as_of_date as integer) / 365.0
                ) as decimal(18, 4)
            )
        ) as discounted_spend
    from observed
    inner join purchase_days
        on
            observed.as_of_date <= purchase_days.day
            and observed.as_of_date + observed.horizon_days > purchase_days.day
            and {{ counts_at('observed.current_as_of_date', 'purchase_days') }}
    inner join memberships
        on
            purchase_days.record_hash = memberships.record_hash
            and {{ owned_at('observed.as_of_date') }}
    group by memberships.customer_id, observed.as_of_date, observed.horizon_days
    having sum(purchase_days.order_count) > 0
)

select
    -- keys
    population.customer_id,
    population.as_of_date,
    cast(observed.horizon_days as integer) as horizon_days,
    population.identity_basis,
    -- labels
    cast(case when purchases.customer_id is null then 0 else 1 end as integer) as has_purchased,
    cast(coalesce(purchases.spend, 0) as decimal(18, 2)) as spend,
    cast(coalesce(purchases.discounted_spend, 0) as decimal(18, 2)) as discounted_spend
from population
inner join observed on population.as_of_date = observed.as_of_date
left join purchases
    on
        population.customer_id = purchases.customer_id
        and observed.as_of_date = purchases.as_of_date
        and observed.horizon_days = purchases.horizon_days
