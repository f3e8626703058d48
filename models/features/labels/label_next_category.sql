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

order_lines as (
    select * from {{ ref('int_activity__order_lines') }}
    where line_type = 'sale'
),

observed as (
    {{ observed_dates(horizon_days) }}
),

bought as (
    select
        memberships.customer_id,
        observed.as_of_date,
        order_lines.order_date,
        order_lines.product_category,
        sum(order_lines.net_amount) as net_amount
    from observed
    inner join order_lines
        on
            observed.as_of_date <= order_lines.order_date
            and observed.as_of_date + {{ horizon_days }} > order_lines.order_date
            and {{ counts_at('observed.current_as_of_date', 'order_lines') }}
    inner join memberships
        on
            order_lines.record_hash = memberships.record_hash
            and {{ owned_at('observed.as_of_date') }}
    group by memberships.customer_id, observed.as_of_date, order_lines.order_date, order_lines.product_category
),

ranked as (
    select
        *,
        row_number() over (
            partition by customer_id, as_of_date
            order by order_date asc, product_category is null asc, net_amount desc, product_category asc
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
