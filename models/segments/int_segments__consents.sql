-- What each customer has agreed to, as of now: by purpose the last word of all their records. Of a grant and a
-- withdrawal at one instant the withdrawal counts, and to unsubscribe is to withdraw the consent to mail, until it is
-- given again. Null where no consent has been told yet: then nobody knows.

{%- set purposes = {
    'email': 'may_mail', 'advertising': 'may_advertise', 'personalization': 'may_personalize', 'analytics': 'may_analyze',
} %}

-- noqa: disable=LT02
with periods as (
    select * from {{ ref('stg_consent__periods') }}
    where
        valid_from < {{ as_of_at() }}
        {% if feature_basis() == 'as_known' -%}
        and known_at < {{ as_of_at() }}
        {%- endif %}
),

customer_index as (
    select * from {{ ref('master_customer_index') }}
    where valid_to is null
),

as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
),

sources as (
    select count(*) as row_count from periods
),

memberships as (
    select * from {{ ref('int_activity__memberships') }}
),

unsubscribed as (
    select
        memberships.customer_id,
        max(mails.counts_from) as unsubscribed_on
    from as_of_dates
    inner join {{ ref('int_activity__mails') }} as mails
        on mails.unsubscribed_count > 0 and {{ counts_at('as_of_dates.as_of_date', 'mails') }}
    inner join memberships
        on
            mails.record_hash = memberships.record_hash
            and {{ owned_at('as_of_dates.as_of_date') }}
    group by memberships.customer_id
),

customers as (
    select distinct customer_id from customer_index
),

words as (
    select
        customer_index.customer_id,
        periods.purpose,
        periods.is_granted,
        cast({{ local_time('periods.valid_from', setting('shop.business_timezone')) }} as date) as told_on,
        row_number() over (
            partition by customer_index.customer_id, periods.purpose
            order by periods.valid_from desc, case when periods.is_granted then 1 else 0 end
        ) as place
    from periods
    inner join customer_index
        on
            periods.source_system = customer_index.source_system
            and periods.source_record_id = customer_index.source_record_id
),

last_words as (
    select
        customer_id,
        max(case when purpose = 'email' then told_on end) as told_on_mail
        {%- for purpose in purposes %},
        max(case when purpose = '{{ purpose }}' and is_granted then 1 else 0 end) as {{ purpose }}
        {%- endfor %}
    from words
    where place = 1
    group by customer_id
)

select
    -- keys
    customers.customer_id,
    as_of_dates.as_of_date,
    -- what they agreed to
    {% for purpose, column in purposes.items() -%}
        case
            when sources.row_count > 0
                then
                    coalesce(last_words.{{ purpose }}, 0) = 1
                    {%- if purpose == 'email' %}
                    and (
                        unsubscribed.unsubscribed_on is null
                        or unsubscribed.unsubscribed_on < last_words.told_on_mail
                    ){% endif %}
        end as {{ column }}{{ ',' if not loop.last }}
    {% endfor -%}
from customers
cross join as_of_dates
cross join sources
left join last_words on customers.customer_id = last_words.customer_id
left join unsubscribed on customers.customer_id = unsubscribed.customer_id
