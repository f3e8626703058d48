-- What each customer has agreed to, as of now: by purpose the last word of all their records. Of a grant and a
-- withdrawal at one instant the withdrawal counts, and who unsubscribed from mail has withdrawn it. Null where no source
-- of consents has landed: then nobody knows.

{%- set purposes = ['email', 'advertising', 'personalization', 'analytics'] %}

-- noqa: disable=LT02
with periods as (
    select * from {{ ref('stg_consent__periods') }}
    where valid_from < {{ as_of_at() }}
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
    select count(*) as row_count from {{ ref('stg_consent__events') }}
),

mail as (
    select
        features.customer_id,
        features.has_unsubscribed
    from {{ ref('feat_customer_email') }} as features
    inner join as_of_dates on features.as_of_date = as_of_dates.as_of_date
),

customers as (
    select distinct customer_id from customer_index
),

words as (
    select
        customer_index.customer_id,
        periods.purpose,
        periods.is_granted,
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
        customer_id
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
    {% for purpose in purposes -%}
        case
            when sources.row_count > 0
                then
                    coalesce(last_words.{{ purpose }}, 0) = 1
                    {%- if purpose == 'email' %} and not coalesce(mail.has_unsubscribed, false){% endif %}
        end as may_{{ {'email': 'mail', 'advertising': 'advertise', 'personalization': 'personalize', 'analytics': 'analyze'}[purpose] }}{{ ',' if not loop.last }}
    {% endfor -%}
from customers
cross join as_of_dates
cross join sources
left join last_words on customers.customer_id = last_words.customer_id
left join mail on customers.customer_id = mail.customer_id
