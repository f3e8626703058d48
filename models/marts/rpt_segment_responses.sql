-- What the members of a segment do and whom a mailing would reach. A source that has not landed leaves null, not 0.

{%- set window_days = 90 %}
{#- Which landing tables a rule stands on, as its config says. -#}
{%- set needed = [] %}
{%- if execute %}
    {%- for name in rule_segments() %}
        {%- set needs = graph.nodes['model.' ~ project_name ~ '.' ~ name].config.meta.segment.needs or {} %}
        {%- for landing_table in needs.sources or [] %}
            {%- do needed.append((name[4:], landing_table)) %}
        {%- endfor %}
    {%- endfor %}
{%- endif %}

with segments as (
    select * from {{ ref('dim_segments') }}
),

members as (
    select * from {{ ref('fct_segment_memberships') }}
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

owners as (
    select
        memberships.record_hash,
        memberships.customer_id
    from {{ ref('int_activity__memberships') }} as memberships
    cross join as_of_dates
    where {{ owned_at('as_of_dates.as_of_date') }}
),

sources as (
    select
        max(case when landing_table = 'web_events' and row_count > 0 then 1 else 0 end) as has_web,
        max(case when landing_table = 'email_events' and row_count > 0 then 1 else 0 end) as has_mail
    from {{ ref('rpt_sources') }}
),

needed as (
    {% for segment_key, landing_table in needed or [('none', 'none')] -%}
        select
            '{{ segment_key }}' as segment_key,
            '{{ landing_table }}' as landing_table
        {{- '\n    union all\n    ' if not loop.last }}
    {%- endfor %}
),

generated as (
    select needed.segment_key
    from needed
    inner join {{ ref('rpt_sources') }} as landed
        on needed.landing_table = landed.landing_table and landed.is_synthetic
    group by needed.segment_key
),

addresses as (
    select customer_id from {{ ref('int_identity__golden_values') }}
    where field = 'email' and field_value is not null
    group by customer_id
),

orders as (
    select
        fct_orders.customer_id,
        max(case when fct_orders.order_date >= as_of_dates.as_of_date - 28 then 1 else 0 end) as bought_28d
    from {{ ref('fct_orders') }} as fct_orders
    cross join as_of_dates
    where fct_orders.is_purchase and fct_orders.order_date < as_of_dates.as_of_date
    group by fct_orders.customer_id
),

visits as (
    select
        owners.customer_id,
        count(*) as session_count,
        sum(case when sessions.order_count > 0 then 1 else 0 end) as ordering_session_count,
        -- One thing seen, and gone.
        sum(
            case
                when
                    sessions.page_view_count + sessions.product_view_count + sessions.category_view_count
                    + sessions.search_count + sessions.add_count + sessions.checkout_count <= 1
                    and sessions.order_count = 0
                    then 1
                else 0
            end
        ) as bounced_session_count,
        sum(sessions.dwell_seconds) as dwell_seconds
    from {{ ref('int_activity__web_sessions') }} as sessions
    inner join owners on sessions.record_hash = owners.record_hash
    cross join as_of_dates
    where
        {{ counts_at('as_of_dates.as_of_date', 'sessions') }}
        and sessions.day >= as_of_dates.as_of_date - {{ window_days }}
    group by owners.customer_id
),

mails as (
    select
        owners.customer_id,
        sum(mails.sent_count) as mail_sent_count,
        sum(mails.clicked_count) as mail_clicked_count
    from {{ ref('int_activity__mails') }} as mails
    inner join owners on mails.record_hash = owners.record_hash
    cross join as_of_dates
    where
        {{ counts_at('as_of_dates.as_of_date', 'mails') }}
        and mails.day >= as_of_dates.as_of_date - {{ window_days }}
    group by owners.customer_id
),

summed as (
    select
        members.segment_key,
        sum(case when members.may_mail and addresses.customer_id is not null then 1 else 0 end) as mailable_count,
        count(members.may_mail) as told_count,
        sum(coalesce(orders.bought_28d, 0)) as buyer_count_28d,
        sum(coalesce(visits.session_count, 0)) as session_count,
        sum(coalesce(visits.ordering_session_count, 0)) as ordering_session_count,
        sum(coalesce(visits.bounced_session_count, 0)) as bounced_session_count,
        sum(coalesce(visits.dwell_seconds, 0)) as dwell_seconds,
        sum(coalesce(mails.mail_sent_count, 0)) as mail_sent_count,
        sum(coalesce(mails.mail_clicked_count, 0)) as mail_clicked_count
    from members
    left join addresses on members.customer_id = addresses.customer_id
    left join orders on members.customer_id = orders.customer_id
    left join visits on members.customer_id = visits.customer_id
    left join mails on members.customer_id = mails.customer_id
    group by members.segment_key
)

select
    -- keys
    segments.segment_key,
    -- what it covers
    cast({{ window_days }} as integer) as window_days,
    generated.segment_key is not null as is_synthetic,
    -- reach
    cast(case when summed.told_count > 0 then summed.mailable_count end as integer) as mailable_count,
    -- conversion
    cast(coalesce(summed.buyer_count_28d, 0) as integer) as buyer_count_28d,
    -- web
    cast(case when sources.has_web = 1 then coalesce(summed.session_count, 0) end as integer) as session_count,
    cast(case when sources.has_web = 1 then coalesce(summed.ordering_session_count, 0) end as integer)
        as ordering_session_count,
    cast(case when sources.has_web = 1 then coalesce(summed.bounced_session_count, 0) end as integer)
        as bounced_session_count,
    cast(case when sources.has_web = 1 then coalesce(summed.dwell_seconds, 0) end as bigint) as dwell_seconds,
    -- mail
    cast(case when sources.has_mail = 1 then coalesce(summed.mail_sent_count, 0) end as integer) as mail_sent_count,
    cast(case when sources.has_mail = 1 then coalesce(summed.mail_clicked_count, 0) end as integer)
        as mail_clicked_count
from segments
cross join sources
left join summed on segments.segment_key = summed.segment_key
left join generated on segments.segment_key = generated.segment_key
