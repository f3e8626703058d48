-- What landed is either staged or in quarantine with a reason: the counts add up.
with landed as (
    select count(*) as row_count from {{ visible_rows('order_lines') }}
),

staged as (
    select count(*) as row_count from {{ ref('stg_shop__order_lines') }}
),

set_aside as (
    select count(*) as row_count
    from {{ ref('quarantine') }}
    where landing_table = 'order_lines'
)

select
    landed.row_count as landed_rows,
    staged.row_count as staged_rows,
    set_aside.row_count as quarantined_rows
from landed
cross join staged
cross join set_aside
where landed.row_count <> staged.row_count + set_aside.row_count
