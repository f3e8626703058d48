-- The as-of dates at which a rule has to be evaluated in this build: the current one, and those of the past at which
-- some rule is not on record yet. A date of the past lies at its midnight; "now" may be an instant of the day. A
-- backtest asks for dates of its own: `--vars '{segment_dates: [2017-06-05]}'`.

{%- set asked_for = var('segment_dates', []) %}

with due as (
    select * from {{ ref('int_segments__due') }}
    where is_evaluated and segment_type = 'rule'
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
)

-- noqa: disable=LT02
select
    -- keys
    as_of_dates.as_of_date,
    -- the instant, UTC
    case
        when as_of_dates.is_current then {{ as_of_at() }}
        else {{ to_utc('cast(as_of_dates.as_of_date as timestamp)', setting('shop.business_timezone')) }}
    end as as_of_at,
    as_of_dates.is_current
from as_of_dates
where
    {% if asked_for -%}
        as_of_dates.as_of_date in ('{{ asked_for | join("', '") }}')
    {%- else -%}
        as_of_dates.as_of_date in (select due.as_of_date from due)
    {%- endif %}
