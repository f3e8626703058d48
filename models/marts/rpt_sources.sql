-- What has landed of each landing table. The contract says which there are: one that never landed is a row, too.

{%- set tables = graph.sources.values() | selectattr('source_name', 'equalto', 'landing') | map(attribute='name')
    | reject('equalto', 'loads') | sort if execute else ['orders'] %}

with loads as (
    select * from {{ ref('stg_landing__loads') }}
),

landing_tables as (
    {% for table in tables -%}
        select '{{ table }}' as landing_table
        {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}
),

brought as (
    select
        landing_tables.landing_table,
        loads.load_id,
        loads.load_date,
        loads.is_synthetic,
        coalesce({{ json_integer('loads.rows_by_table', 'landing_tables.landing_table') }}, 0) as row_count
    from landing_tables
    cross join loads
),

summed as (
    select
        landing_table,
        count(*) as load_count,
        min(load_date) as first_load_date,
        max(load_date) as last_load_date,
        sum(row_count) as row_count,
        sum(case when is_synthetic then row_count else 0 end) as synthetic_row_count
    from brought
    where row_count > 0
    group by landing_table
)

select
    -- keys
    cast(landing_tables.landing_table as varchar) as landing_table,
    -- times
    summed.first_load_date,
    summed.last_load_date,
    -- counts
    cast(coalesce(summed.load_count, 0) as integer) as load_count,
    cast(coalesce(summed.row_count, 0) as bigint) as row_count,
    cast(coalesce(summed.synthetic_row_count, 0) as bigint) as synthetic_row_count,
    coalesce(summed.synthetic_row_count, 0) > 0 as is_synthetic
from landing_tables
left join summed on landing_tables.landing_table = summed.landing_table
