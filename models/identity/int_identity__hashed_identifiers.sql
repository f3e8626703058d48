-- E-mail addresses and phones of customers as keyed hashes: what may leave the identity stage where a join needs it.

with identifiers as (
    select * from {{ ref('int_identity__identifiers') }}
    where identifier_type in ('email', 'phone')
),

customers as (
    select
        source_record_key,
        customer_id
    from {{ ref('master_customer_index') }}
    where
        valid_to is null
        and {{ is_among('int_identity__touched_customers', 'customer_id') }}
),

shared as (
    select * from {{ ref('int_identity__shared_identifiers') }}
),

distinct_identifiers as (
    select
        customers.customer_id,
        identifiers.identifier_type,
        identifiers.identifier_value,
        min(identifiers.first_seen_at) as first_seen_at,
        max(identifiers.last_seen_at) as last_seen_at
    from identifiers
    inner join customers on identifiers.source_record_key = customers.source_record_key
    group by customers.customer_id, identifiers.identifier_type, identifiers.identifier_value
)

select
    -- keys
    distinct_identifiers.customer_id,
    distinct_identifiers.identifier_type,
    {{ keyed_hash('distinct_identifiers.identifier_value') }} as identifier_hash,
    -- whether others have it, too
    shared.reason is not null as is_shared,
    -- when
    distinct_identifiers.first_seen_at,
    distinct_identifiers.last_seen_at
from distinct_identifiers
left join shared
    on
        distinct_identifiers.identifier_type = shared.identifier_type
        and distinct_identifiers.identifier_value = shared.identifier_value
