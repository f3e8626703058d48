-- The as-of dates in their order, twice: all that are stored, and those alone that no earlier build has computed.

with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

grids as (
    select
        'stored' as grid,
        as_of_date
    from as_of_dates
    union all
    select
        'new' as grid,
        as_of_date
    from as_of_dates
    where is_new
)

select
    -- keys
    grid,
    cast(row_number() over (partition by grid order by as_of_date) as integer) as date_number,
    -- the date
    as_of_date
from grids
