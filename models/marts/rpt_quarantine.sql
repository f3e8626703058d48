with quarantine as (
    select * from {{ ref('quarantine') }}
),

loads as (
    select * from {{ ref('stg_landing__loads') }}
),

set_aside as (
    select
        landing_table,
        load_source,
        load_date,
        reason,
        is_routine,
        count(*) as row_count
    from quarantine
    group by landing_table, load_source, load_date, reason, is_routine
),

tables as (
    select landing_table from set_aside
    group by landing_table
),

landed as (
    select
        tables.landing_table,
        loads.load_source,
        loads.load_date,
        sum(coalesce({{ json_integer('loads.rows_by_table', 'tables.landing_table') }}, 0)) as landed_row_count
    from loads
    cross join tables
    group by tables.landing_table, loads.load_source, loads.load_date
)

select
    -- keys
    set_aside.landing_table,
    set_aside.load_source,
    set_aside.load_date,
    set_aside.reason,
    -- what it is
    set_aside.is_routine,
    -- counts
    set_aside.row_count,
    cast(landed.landed_row_count as bigint) as landed_row_count,
    cast(set_aside.row_count as double) / nullif(cast(landed.landed_row_count as double), 0) as row_share
from set_aside
inner join landed
    on
        set_aside.landing_table = landed.landing_table
        and set_aside.load_source = landed.load_source
        and set_aside.load_date = landed.load_date
