{%- set measures = ['sent_count', 'opened_count', 'machine_opened_count', 'clicked_count', 'unsubscribed_count'] %}
{%- set sums = {} %}
{%- for measure in measures %}
    {%- do sums.update({'mail_' ~ measure: {'of': measure, 'windows': [none, 90]}}) %}
{%- endfor %}

-- noqa: disable=LT02
with {{ over_time([
    {
        'relation': 'int_activity__mails',
        'spans': true,
        'sums': sums,
        'latest': {'last_sent_on': 'day', 'last_answered_on': 'answered_on'},
    },
]) }}

select
    -- keys
    customer_id,
    as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- time
    cast(as_of_date - last_sent_on as integer) as days_since_last_mail,
    cast(as_of_date - last_answered_on as integer) as days_since_last_mail_opened,
    -- counts
    {% for measure in measures -%}
        cast({{ 'mail_' ~ measure }} as integer) as {{ 'mail_' ~ measure }},
        cast({{ 'mail_' ~ measure ~ '_90d' }} as integer) as {{ 'mail_' ~ measure ~ '_90d' }}{{ ',' if not loop.last }}
    {% endfor -%}
from over_time
where mail_sent_count > 0
