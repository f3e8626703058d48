-- Dates at equal steps, which stay where they are as time goes on; the start of every campaign; today; and what was
-- asked for: `--vars '{as_of_dates: [2017-05-03]}'`.

{%- set step_days = setting('features.as_of_step_days') %}
{%- set retention_days = setting_value('features.retention_days') %}
{%- set asked_for = var('as_of_dates', []) %}
{%- set fingerprints = ref('int_activity__fingerprints') %}
{%- set continues = changes_continue() %}
{#- The table of a version that knew no such dates has no such column. -#}
{%- set stands = execute and load_relation(this) is not none
    and 'is_asked_for' in (adapter.get_columns_in_relation(this) | map(attribute='name')) %}

-- noqa: disable=LT02
with orders as (
    select * from {{ ref('int_activity__orders') }}
),

campaigns as (
    select * from {{ ref('stg_campaigns__campaigns') }}
),

bounds as (
    select
        cast({{ as_of_date() }} as date) as current_as_of_date,
        min(order_date) as first_order_date
    from orders
),

days as (
    {{ date_spine(
        '(select bounds.first_order_date from bounds)',
        '(select greatest(bounds.current_as_of_date, bounds.first_order_date) from bounds)',
    ) }}
),

reasons as (
    select
        current_as_of_date as as_of_date,
        'current' as reason
    from bounds
    union all
    -- the first weeks are left out: there is nothing to look back on yet; 1900-01-01 was a Monday
    select
        days.date_day as as_of_date,
        'scheduled' as reason
    from days
    cross join bounds
    where
        cast(days.date_day - cast('1900-01-01' as date) as integer) % {{ step_days }} = 0
        and days.date_day >= bounds.first_order_date + {{ setting('features.min_history_days') }}
    union all
    select
        campaigns.starts_on as as_of_date,
        'campaign start' as reason
    from campaigns
    cross join bounds
    where
        campaigns.starts_on > bounds.first_order_date
        and campaigns.starts_on <= bounds.current_as_of_date
    {% for as_of_date in asked_for -%}
        union all
        select
            cast('{{ as_of_date }}' as date) as as_of_date,
            'asked for' as reason
    {% endfor -%}
    {% if stands -%}
        union all
        select
            as_of_date,
            'asked for' as reason
        from {{ this }}
        where is_asked_for
    {%- endif %}
),

flagged as (
    select
        as_of_date,
        max(case when reason = 'current' then 1 else 0 end) as is_current,
        max(case when reason = 'scheduled' then 1 else 0 end) as is_scheduled,
        max(case when reason = 'campaign start' then 1 else 0 end) as is_campaign_start,
        max(case when reason = 'asked for' then 1 else 0 end) as is_asked_for
    from reasons
    group by as_of_date
)

select
    -- keys
    flagged.as_of_date,
    -- why the date is here
    flagged.is_current = 1 as is_current,
    flagged.is_scheduled = 1 as is_scheduled,
    flagged.is_campaign_start = 1 as is_campaign_start,
    flagged.is_asked_for = 1 as is_asked_for,
    -- whether no build has computed it before this one
    {% if continues -%}
        flagged.as_of_date not in (select standing.as_of_date from {{ this }} as standing) as is_new
    {%- else -%}
        true as is_new
    {%- endif %}
from flagged
cross join bounds
where
    flagged.as_of_date <= bounds.current_as_of_date
    {% if retention_days is not none -%}
    and flagged.as_of_date >= bounds.current_as_of_date - {{ retention_days }}
    {%- endif %}
