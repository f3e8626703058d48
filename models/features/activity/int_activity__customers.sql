-- The customers of this build, with the as-of dates that are due for each: all that are stored for whom something
-- changed, only new ones for the others. A few dates are computed one by one, which is the shorter way to them.

{%- set few = 3 %}

with fingerprints as (
    select * from {{ ref('int_activity__fingerprints') }}
    where fingerprint is not null
),

as_of_dates as (
    select
        count(*) as date_count,
        sum(case when is_new then 1 else 0 end) as new_count
    from {{ ref('int_as_of_dates') }}
)

select
    -- keys
    fingerprints.customer_id,
    cast(row_number() over (order by fingerprints.customer_id) as integer) as customer_number,
    -- which dates are due
    case
        when
            fingerprints.is_changed
            and (as_of_dates.new_count < as_of_dates.date_count or as_of_dates.new_count > {{ few }})
            then 'stored'
        when as_of_dates.new_count <= {{ few }} then 'few'
        else 'new'
    end as grid
from fingerprints
cross join as_of_dates
