-- Whose activity a record's is, from which of the due dates to which.

{%- set calendar = ref('int_as_of_calendar') %}

with memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

customers as (
    select * from {{ ref('int_activity__customers') }}
),

last_numbers as (
    select
        grid,
        max(date_number) as last_number
    from {{ ref('int_as_of_grid') }}
    group by grid
),

owners as (
    select
        memberships.record_hash,
        customers.customer_number,
        customers.grid,
        {% if feature_basis() == 'current' -%}
            1 as starts_at,
            last_numbers.last_number + 1 as ends_at,
        {%- else -%}
            on_from.starts_at,
            coalesce(on_until.starts_at, last_numbers.last_number + 1) as ends_at,
        {%- endif %}
        last_numbers.last_number
    from memberships
    inner join customers on memberships.customer_id = customers.customer_id
    inner join last_numbers on customers.grid = last_numbers.grid
    {% if feature_basis() == 'as_known' -%}
    inner join {{ calendar }} as on_from
        on
            customers.grid = on_from.grid
            and memberships.known_from = on_from.day
    left join {{ calendar }} as on_until
        on
            customers.grid = on_until.grid
            and memberships.known_until = on_until.day
    {%- endif %}
)

select
    -- keys
    record_hash,
    customer_number,
    grid,
    -- numbers of dates
    cast(starts_at as integer) as starts_at,
    cast(ends_at as integer) as ends_at,
    cast(last_number as integer) as last_number,
    -- what spares a search for values that records share
    count(*) over (partition by customer_number) = 1 as is_sole
from owners
where starts_at < ends_at
