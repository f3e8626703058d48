-- For each day the first as-of date at which it counts, and the first at which it has left a window: what turns facts
-- of days into numbers of dates. The days go back to before all facts.

{%- set windows = feature_windows() + season_windows() %}

-- noqa: disable=LT02
with grid as (
    select * from {{ ref('int_as_of_grid') }}
),

grids as (
    select grid
    from grid
    group by grid
),

bounds as (
    select
        least(cast('1970-01-01' as date), min(order_date)) as first_day,
        max(order_date) + {{ windows | max }} + 1 as last_day
    from {{ ref('stg_shop__orders') }}
),

last_dates as (
    select max(as_of_date) as as_of_date from grid
),

days as (
    {{ date_spine(
        '(select bounds.first_day from bounds)',
        '(select greatest(bounds.last_day, last_dates.as_of_date + ' ~ (windows | max) ~ ') from bounds, last_dates)'
    ) }}
),

counted as (
    select
        grids.grid,
        days.date_day as day,
        -- the dates up to the day itself do not see it
        1 + sum(case when grid.as_of_date is null then 0 else 1 end) over (
            partition by grids.grid
            order by days.date_day
            rows between unbounded preceding and current row
        ) as starts_at
    from days
    cross join grids
    left join grid
        on
            days.date_day = grid.as_of_date
            and grids.grid = grid.grid
),

last_numbers as (
    select
        grid,
        max(starts_at) as starts_at
    from counted
    group by grid
)

select
    -- keys
    counted.grid,
    counted.day,
    -- numbers of dates
    cast(counted.starts_at as integer) as starts_at,
    {% for window in windows -%}
        -- behind the last day there is no date
        cast(coalesce(after_{{ window }}d.starts_at, last_numbers.starts_at) as integer)
            as ends_{{ window }}d{{ ',' if not loop.last }}
    {% endfor -%}
from counted
inner join last_numbers on counted.grid = last_numbers.grid
{%- for window in windows %}
left join counted as after_{{ window }}d
    on
        counted.grid = after_{{ window }}d.grid
        and counted.day + {{ window }} = after_{{ window }}d.day
{%- endfor %}
