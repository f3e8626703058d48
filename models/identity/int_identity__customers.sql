{%- set fields = [
    'first_name', 'last_name', 'email', 'phone', 'street', 'city', 'postcode', 'region', 'country', 'birth_date',
] -%}

with customer_index as (
    select * from {{ ref('master_customer_index') }}
    where
        valid_to is null
        and {{ is_among('int_identity__touched_customers', 'customer_id') }}
),

every_membership as (
    select
        customer_id,
        min(valid_from) as first_seen_at
    from {{ ref('master_customer_index') }}
    where {{ is_among('int_identity__touched_customers', 'customer_id') }}
    group by customer_id
),

members as (
    select * from {{ ref('stg_loyalty__members') }}
),

seen as (
    select
        customer_index.customer_id,
        min(every_membership.first_seen_at) as first_seen_at,
        cast(count(*) as integer) as source_record_count
    from customer_index
    inner join every_membership on customer_index.customer_id = every_membership.customer_id
    group by customer_index.customer_id
),

golden as (
    select
        {% for field in fields -%}
            max(case when field = '{{ field }}' then field_value end) as {{ field }},
        {% endfor -%}
        customer_id
    from {{ ref('int_identity__golden_values') }}
    where {{ is_among('int_identity__touched_customers', 'customer_id') }}
    group by customer_id
),

-- Of several cards the one whose record is newest.
cards as (
    select
        customer_index.customer_id,
        members.*,
        row_number() over (
            partition by customer_index.customer_id
            order by members.known_at desc, members.loyalty_id asc
        ) as card_rank
    from customer_index
    inner join members on customer_index.source_record_id = members.loyalty_id
    where customer_index.source_system = 'loyalty_members'
)

select
    -- keys
    seen.customer_id,
    -- the person; where each value comes from stands in int_identity__golden_values
    {% for field in fields -%}
        {{ 'cast(golden.birth_date as date)' if field == 'birth_date' else 'golden.' ~ field }} as {{ field }},
    {% endfor -%}
    -- demographics: unknown is a value of its own
    coalesce(cards.age_band, 'unknown') as age_band,
    coalesce(cards.income_band, 'unknown') as income_band,
    coalesce(cards.home_ownership, 'unknown') as home_ownership,
    coalesce(cards.marital_status, 'unknown') as marital_status,
    coalesce(cards.household_size, 'unknown') as household_size,
    coalesce(cards.household_composition, 'unknown') as household_composition,
    coalesce(cards.kids_count, 'unknown') as kids_count,
    -- counts
    seen.source_record_count,
    -- when
    seen.first_seen_at
from seen
left join golden on seen.customer_id = golden.customer_id
left join cards
    on
        seen.customer_id = cards.customer_id
        and cards.card_rank = 1
