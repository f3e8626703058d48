-- What became of each mail, as facts of the day on which it was sent: an opening is one from its own day on. Programs
-- that open mails for their users (privacy proxies, scanners) are counted apart.

{%- set business_timezone = setting('shop.business_timezone') %}
{%- set facts = {
    'sent_count': 'sent_at',
    'opened_count': 'opened_by_person_at',
    'machine_opened_count': 'opened_by_machine_at',
    'clicked_count': 'clicked_by_person_at',
    'unsubscribed_count': 'unsubscribed_at',
} %}

with messages as (
    select
        *,
        cast({{ local_time('sent_at', business_timezone) }} as date) as sent_on
    from {{ ref('stg_email__messages') }}
    where sent_at is not null and email is not null
),

facts as (
    {% for fact, happened_at in facts.items() -%}
        select
            message_id,
            email,
            sent_on,
            '{{ fact }}' as fact,
            {% if feature_basis() == 'as_known' -%}
                cast({{ local_time('greatest(' ~ happened_at ~ ', first_known_at)', business_timezone) }} as date) as happened_on
            {%- else -%}
                cast({{ local_time(happened_at, business_timezone) }} as date) as happened_on
            {%- endif %}
        from messages
        where {{ happened_at }} is not null
        {{ 'union all' if not loop.last }}
    {% endfor -%}
)

-- noqa: disable=LT02
select
    -- keys
    {{ record_hash("'emails'", 'email') }} as record_hash,
    message_id,
    -- dates
    sent_on as day,
    greatest(sent_on, happened_on) as counts_from,
    cast(null as date) as counts_until,
    case when fact in ('opened_count', 'clicked_count') then greatest(sent_on, happened_on) end as answered_on,
    -- counts
    {% for fact in facts -%}
        case when fact = '{{ fact }}' then 1 else 0 end as {{ fact }}{{ ',' if not loop.last }}
    {% endfor -%}
from facts
