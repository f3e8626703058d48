-- What each source said before each as-of date, and why it said nothing. A source is a landing table, as staged.
-- Products stand in their newest version, which describes all of the past: they have no day.

{%- set zone = setting('shop.business_timezone') %}
{#- By landing table: the staged one, the day of a row, when it was known. A line is of the day of its order, and what
    belongs to a campaign of its first day. -#}
{%- set sources = {
    'crm_contacts': ('stg_crm__contacts', 'cast(' ~ local_time('valid_from', zone) ~ ' as date)', 'known_at'),
    'loyalty_members': (
        'stg_loyalty__member_versions', 'cast(' ~ local_time('valid_from', zone) ~ ' as date)', 'known_at'
    ),
    'products': ('stg_shop__products', 'cast(null as date)', none),
    'orders': ('stg_shop__orders', 'order_date', 'first_known_at'),
    'order_lines': ('stg_shop__order_lines', 'orders.order_date', 'orders.first_known_at'),
    'web_events': ('stg_web__events', 'event_date', 'received_at'),
    'email_events': ('stg_email__events', 'cast(' ~ local_time('occurred_at', zone) ~ ' as date)', 'known_at'),
    'campaigns': ('stg_campaigns__campaigns', 'starts_on', 'known_at'),
    'campaign_recipients': ('stg_campaigns__recipients', 'campaigns.starts_on', 'staged.known_at'),
    'coupons': ('stg_campaigns__coupons', 'campaigns.starts_on', 'staged.known_at'),
    'coupon_redemptions': ('stg_campaigns__coupon_redemptions', 'redeemed_on', 'known_at'),
    'survey_answers': (
        'stg_service__survey_answers', 'cast(' ~ local_time('answered_at', zone) ~ ' as date)', 'known_at'
    ),
    'external_attributes': (
        'stg_external__attributes', 'cast(' ~ local_time('observed_at', zone) ~ ' as date)', 'known_at'
    ),
} %}

-- noqa: disable=LT02
with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
),

orders as (
    select * from {{ ref('stg_shop__orders') }}
),

campaigns as (
    select * from {{ ref('stg_campaigns__campaigns') }}
),

dated as (
    {% for source, (model, day, known_at) in sources.items() -%}
        select
            '{{ source }}' as source,
            {% if feature_basis() == 'as_known' and known_at is not none -%}
                greatest({{ day }}, cast({{ local_time(known_at, zone) }} as date)) as day
            {%- else -%}
                {{ day }} as day
            {%- endif %}
        from {{ ref(model) }} as staged
        {% if 'orders.' in day -%}
            inner join orders on staged.order_id = orders.order_id
        {%- elif 'campaigns.' in day -%}
            inner join campaigns on staged.campaign_id = campaigns.campaign_id
        {%- endif %}
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

-- one row a day first: there are many dates, and many rows
by_day as (
    select
        source,
        day,
        count(*) as row_count
    from dated
    group by source, day
),

sources as (
    {% for source in sources -%}
        select '{{ source }}' as source {{ 'union all' if not loop.last }}
    {% endfor -%}
),

observed as (
    select
        as_of_dates.as_of_date,
        sources.source,
        -- what has no day holds at every date
        coalesce(sum(case when by_day.day is null or by_day.day < as_of_dates.as_of_date then by_day.row_count end), 0)
            as row_count,
        min(by_day.day) as first_ever_day,
        min(case when by_day.day < as_of_dates.as_of_date then by_day.day end) as first_day,
        max(case when by_day.day < as_of_dates.as_of_date then by_day.day end) as last_day
    from as_of_dates
    cross join sources
    left join by_day on sources.source = by_day.source
    group by as_of_dates.as_of_date, sources.source
)

select
    -- keys
    as_of_date,
    source,
    -- what was observed
    cast(row_count as bigint) as row_count,
    first_day,
    last_day,
    case
        when row_count = 0
            then
                'no rows of ' || source || ' landed before this date'
                || coalesce(': the first is of ' || cast(first_ever_day as varchar), '')
    end as missing_reason
from observed
