-- The customers of this build, with the as-of dates that are due for each: all that are stored for whom something
-- changed, only new ones for the others. Where all dates are new and few, one by one is the shorter way to them, too.

{%- set few = 3 %}

with memberships as (
    select customer_id from {{ ref('int_activity__memberships') }}
    group by customer_id
),

as_of_dates as (
    select
        count(*) as date_count,
        sum(case when is_new then 1 else 0 end) as new_count
    from {{ ref('int_as_of_dates') }}
)

select
    -- keys
    memberships.customer_id,
    cast(row_number() over (order by memberships.customer_id) as integer) as customer_number,
    -- which dates are due
    case
        when as_of_dates.new_count = as_of_dates.date_count and as_of_dates.new_count <= {{ few }} then 'new'
        else 'stored'
    end as grid
from memberships
cross join as_of_dates
