{#-
    As-of dates whose whole window lies before the current one: a window cut short is not a "no". With current_as_of_date,
    up to which it is known what came of them.
-#}
{%- macro observed_dates(horizon_days) -%}
    select
        as_of_dates.as_of_date,
        newest.as_of_date as current_as_of_date
    from {{ ref('int_as_of_dates') }} as as_of_dates
    inner join {{ ref('int_as_of_dates') }} as newest
        on
            newest.is_current
            and as_of_dates.as_of_date + {{ horizon_days }} <= newest.as_of_date
{%- endmacro -%}
