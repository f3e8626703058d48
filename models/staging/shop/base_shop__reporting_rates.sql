-- What one unit of a currency is worth in the shop's reporting currency, from each day for which a rate has landed. The
-- pair may be given in either direction; where both are given for a day, the direct one counts.
{% set reporting_currency = setting('shop.reporting_currency') %}

with rates as (
    select * from {{ ref('stg_shop__exchange_rates') }}
),

either_direction as (
    select
        currency,
        rate_date,
        cast(rate as decimal(28, 12)) as exchange_rate,
        0 as is_inverse
    from rates
    where quote_currency = {{ reporting_currency }}
    union all
    select
        quote_currency as currency,
        rate_date,
        cast(1 / cast(rate as double) as decimal(28, 12)) as exchange_rate,
        1 as is_inverse
    from rates
    where currency = {{ reporting_currency }}
),

ranked as (
    select
        *,
        row_number() over (partition by currency, rate_date order by is_inverse) as pair_rank
    from either_direction
)

select
    -- keys
    currency,
    rate_date as valid_from,
    lead(rate_date) over (partition by currency order by rate_date) as valid_until,
    -- what it is
    exchange_rate
from ranked
where pair_rank = 1
