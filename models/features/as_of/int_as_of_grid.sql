-- The as-of dates that are due, in their order: all that are stored, for customers of whom something changed, and for
-- the others those alone that no earlier build has computed, few or many. A grid that no customer has is not there.

with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

grids as (
    select grid
    from {{ ref('int_activity__customers') }}
    group by grid
)

select
    -- keys
    grids.grid,
    cast(row_number() over (partition by grids.grid order by as_of_dates.as_of_date) as integer) as date_number,
    -- the date
    as_of_dates.as_of_date
from grids
inner join as_of_dates on grids.grid = 'stored' or as_of_dates.is_new
