-- What customers did on the web in the week before an instant: what intent is read from. What had not arrived by then
-- is not there, whatever the basis, and whose a session is, its events so far tell: near real time nobody knows
-- the rest. Programs are those known today.

{%- set customer_index, memberships = ref('master_customer_index'), ref('int_activity__memberships') %}

-- noqa: disable=LT02
with instants as (
    select {{ as_of_at() }} as as_of_at
),

events as (
    select web_events.*
    from {{ ref('stg_web__events') }} as web_events
    inner join instants
        on
            web_events.event_at < instants.as_of_at
            and web_events.event_at >= instants.as_of_at - interval 7 day
            and web_events.received_at < instants.as_of_at
),

visitors as (
    select * from {{ ref('stg_web__visitors') }}
),

memberships as (
    {% if feature_basis() == 'as_known' -%}
        select
            {{ record_hash('source_system', 'source_record_id') }} as record_hash,
            customer_id
        from {{ customer_index }}
        where
            valid_from < {{ as_of_at() }}
            and (valid_to is null or valid_to >= {{ as_of_at() }})
    {%- else -%}
        select
            record_hash,
            customer_id
        from {{ memberships }}
    {%- endif %}
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

logins as (
    select
        session_id,
        session_started_at,
        {{ newest_value('user_id', by='event_at') }} as user_id
    from events
    group by session_id, session_started_at
),

of_persons as (
    select
        events.*,
        case
            when logins.user_id is not null then {{ record_hash("'web_users'", 'logins.user_id') }}
            else {{ record_hash("'web_visitors'", 'events.anonymous_id') }}
        end as record_hash
    from events
    inner join logins
        on
            events.session_id = logins.session_id
            and events.session_started_at = logins.session_started_at
    left join visitors on events.anonymous_id = visitors.anonymous_id
    where not coalesce(visitors.is_bot, false)
)

select
    -- keys
    memberships.customer_id,
    of_persons.event_id,
    instants.as_of_at,
    of_persons.cart_id,
    of_persons.product_id,
    coalesce(products.product_category, 'unknown') as product_category,
    -- what it was
    of_persons.event_name,
    cast(coalesce(of_persons.quantity, 1) as decimal(18, 3)) as quantity,
    cast(of_persons.shown_price as decimal(18, 2)) as shown_price,
    -- when
    of_persons.event_at,
    cast({{ seconds_between('of_persons.event_at', 'instants.as_of_at') }} as bigint) as seconds_before
from of_persons
cross join instants
inner join memberships on of_persons.record_hash = memberships.record_hash
left join products on of_persons.product_id = products.product_id
