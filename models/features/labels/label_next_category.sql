-- What is bought next: the category with most of the money of the first purchase day from the date on.
{% set horizon_days = setting('models.next_category.horizon_days') %}

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

categories as (
    select * from {{ ref('int_activity__purchased_categories') }}
),

observed as (
    {{ observed_dates(horizon_days) }}
),

days as (
    select
        record_hash,
        day,
        counts_from,
        counts_until
    from categories
    group by record_hash, day, counts_from, counts_until
),

first_days as (
    select
        memberships.customer_id,
        observed.as_of_date,
        observed.current_as_of_date,
        min(days.day) as day
    from observed
    inner join days
        on
            observed.as_of_date <= days.day
            and observed.as_of_date + {{ horizon_days }} > days.day
            and {{ counts_at('observed.current_as_of_date', 'days') }}
    inner join memberships
        on
            days.record_hash = memberships.record_hash
            and {{ owned_at('observed.as_of_date') }}
    group by memberships.customer_id, observed.as_of_date, observed.current_as_of_date
),

bought as (
    select
        first_days.customer_id,
        first_days.as_of_date,
        first_days.day as order_date,
        nullif(categories.product_category, 'unknown') as product_category,
        sum(categories.net_amount) as net_amount
    from first_days
    inner join memberships
        on
            first_days.customer_id = memberships.customer_id
            and {{ owned_at('first_days.as_of_date') }}
    inner join categories
        on
            memberships.record_hash = categories.record_hash
            and first_days.day = categories.day
            and {{ counts_at('first_days.current_as_of_date', 'categories') }}
    group by first_days.customer_id, first_days.as_of_date, first_days.day, categories.product_category
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, as_of_date
            order by product_category is null asc, net_amount desc, product_category asc
        ) as place
    from bought
)

select
    -- keys
    population.customer_id,
    population.as_of_date,
    population.identity_basis,
    -- window
    cast({{ horizon_days }} as integer) as horizon_days,
    -- labels
    ranked.product_category as next_category,
    ranked.order_date as bought_on
from population
inner join observed on population.as_of_date = observed.as_of_date
left join ranked
    on
        population.customer_id = ranked.customer_id
        and population.as_of_date = ranked.as_of_date
        and ranked.place = 1
