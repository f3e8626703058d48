{#-
    A query for what persons did on the web in the days before instants: `instants` is a query with as_of_date and
    as_of_at (UTC). What had not arrived by an instant is not there, whatever the basis, and whose a session is, its
    events so far tell: near real time nobody knows the rest. Programs are those known today.
-#}
{%- macro web_events_before(instants, days) -%}
{%- set customer_index, memberships = ref('master_customer_index'), ref('int_activity__memberships') %}
{#- Spelled out: an engine that keeps what is read twice keeps all columns of it. -#}
{%- set columns = [
    'event_id', 'session_id', 'session_started_at', 'anonymous_id', 'user_id', 'event_name', 'content_type', 'page_path',
    'product_id', 'cart_id', 'quantity', 'shown_price', 'event_at',
] %}
with instants as (
    {{ instants }}
),

events as (
    select
        instants.as_of_date,
        instants.as_of_at,
        {% for column in columns -%}
            web_events.{{ column }}{{ ',' if not loop.last }}
        {% endfor -%}
    from {{ ref('stg_web__events') }} as web_events
    inner join instants
        on
            web_events.event_at < instants.as_of_at
            and web_events.event_at >= instants.as_of_at - interval {{ days }} day
            and web_events.received_at < instants.as_of_at
),

visitors as (
    select * from {{ ref('stg_web__visitors') }}
),

memberships as (
    {% if feature_basis() == 'as_known' -%}
        select
            {{ record_hash('customer_index.source_system', 'customer_index.source_record_id') }} as record_hash,
            instants.as_of_at,
            customer_index.customer_id
        from {{ customer_index }} as customer_index
        inner join instants
            on
                customer_index.valid_from < instants.as_of_at
                and (customer_index.valid_to is null or customer_index.valid_to >= instants.as_of_at)
    {%- else -%}
        select
            memberships.record_hash,
            instants.as_of_at,
            memberships.customer_id
        from {{ memberships }} as memberships
        cross join instants
    {%- endif %}
),

products as (
    select * from {{ ref('stg_shop__products') }}
),

logins as (
    select
        as_of_at,
        session_id,
        session_started_at,
        {{ newest_value('user_id', by='event_at') }} as user_id
    from events
    where user_id is not null
    group by as_of_at, session_id, session_started_at
),

of_persons as (
    select
        events.*,
        case
            when logins.user_id is not null then {{ record_hash("'web_users'", 'logins.user_id') }}
            else {{ record_hash("'web_visitors'", 'events.anonymous_id') }}
        end as record_hash
    from events
    left join logins
        on
            events.as_of_at = logins.as_of_at
            and events.session_id = logins.session_id
            and events.session_started_at = logins.session_started_at
    left join visitors on events.anonymous_id = visitors.anonymous_id
    where not coalesce(visitors.is_bot, false)
)

select
    memberships.customer_id,
    of_persons.*,
    coalesce(products.product_category, 'unknown') as product_category,
    products.product_type,
    cast({{ seconds_between('of_persons.event_at', 'of_persons.as_of_at') }} as bigint) as seconds_before
from of_persons
inner join memberships
    on
        of_persons.record_hash = memberships.record_hash
        and of_persons.as_of_at = memberships.as_of_at
left join products on of_persons.product_id = products.product_id
{%- endmacro -%}
