-- Identifiers that are not one person's, with the reason. They tie nobody to anybody unless a name says more.
{%- set limits = setting_value('identity') or {} %}
{%- set changed_identifiers = ref('int_identity__changed_identifiers') %}

with identifiers as (
    select identifiers.*
    from {{ ref('int_identity__identifiers') }} as identifiers
    {% if is_incremental() -%}
    inner join {{ changed_identifiers }} as changed
        on
            identifiers.identifier_type = changed.identifier_type
            and identifiers.identifier_value = changed.identifier_value
    {%- endif %}
),

generic_mailboxes as (
    select * from {{ ref('generic_mailboxes') }}
),

carried as (
    select
        identifier_type,
        identifier_value,
        count(*) as record_count,
        count(*) filter (where source_system = 'crm_contacts') as contact_count,
        count(*) filter (where source_system = 'web_users') as login_count,
        count(*) filter (where source_system not in ('web_visitors', 'web_users')) as written_count,
        count(distinct given_name) as given_name_count,
        count(distinct last_name) as last_name_count
    from identifiers
    where identifier_type not in ('order_id', 'brand')
    group by identifier_type, identifier_value
    having count(*) > 1 or identifier_type = 'email'
),

generic as (
    select
        carried.identifier_type,
        carried.identifier_value,
        'generic mailbox' as reason
    from carried
    inner join generic_mailboxes on split_part(carried.identifier_value, '@', 1) = generic_mailboxes.mailbox
    where carried.identifier_type = 'email'
),

crowded as (
    select
        identifier_type,
        identifier_value,
        case
            when identifier_type = 'device' then 'several logins on one device'
            else 'more than {{ limits.max_records_per_identifier }} records'
        end as reason
    from carried
    where
        (identifier_type = 'device' and login_count > 1)
        or (identifier_type <> 'device' and written_count > {{ limits.max_records_per_identifier }})
),

-- Names are held against each other only where there are several, and not where it is a crowd anyway.
names as (
    select distinct
        identifiers.identifier_type,
        identifiers.identifier_value,
        identifiers.given_name,
        identifiers.last_name
    from identifiers
    inner join carried
        on
            identifiers.identifier_type = carried.identifier_type
            and identifiers.identifier_value = carried.identifier_value
    where
        identifiers.given_name is not null
        and (carried.given_name_count > 1 or carried.last_name_count > 1)
        and carried.written_count <= {{ limits.max_records_per_identifier }}
),

named_otherwise as (
    select
        this.identifier_type,
        this.identifier_value,
        min(case
            when not {{ given_names_fit('this', 'other') }} then 'people of different given names'
            when this.identifier_type = 'phone' then 'people of different last names'
        end) as reason
    from names as this
    inner join names as other
        on
            this.identifier_type = other.identifier_type
            and this.identifier_value = other.identifier_value
    where
        (this.given_name, coalesce(this.last_name, '')) < (other.given_name, coalesce(other.last_name, ''))
        and not case
            when this.identifier_type = 'phone' then {{ names_fit('this', 'other') }}
            else {{ given_names_fit('this', 'other') }}
        end
    group by this.identifier_type, this.identifier_value
),

-- A mailing list that writes to two cards at one address says that two people read it.
cards_of_addresses as (
    select
        addresses.identifier_value,
        count(distinct cards.identifier_value) as card_count
    from identifiers as addresses
    -- cards that changed no more than their address belong to it, too
    inner join {{ ref('int_identity__identifiers') }} as cards on addresses.record_number = cards.record_number
    where
        addresses.source_system = 'emails'
        and addresses.identifier_type = 'email'
        and cards.identifier_type = 'loyalty_id'
    group by addresses.identifier_value
    having count(distinct cards.identifier_value) > {{ limits.one_customer_has.loyalty_ids or 1000000 }}
),

reasons as (
    select
        identifier_type,
        identifier_value,
        reason,
        1 as place
    from generic
    union all
    select
        identifier_type,
        identifier_value,
        reason,
        2 as place
    from crowded
    union all
    select
        identifier_type,
        identifier_value,
        reason,
        3 as place
    from named_otherwise
    union all
    select
        'email' as identifier_type,
        identifier_value,
        'written to under several loyalty ids' as reason,
        4 as place
    from cards_of_addresses
),

first_reasons as (
    select
        identifier_type,
        identifier_value,
        {{ greatest_by('reason', '-place') }} as reason
    from reasons
    group by identifier_type, identifier_value
)

select
    -- keys
    first_reasons.identifier_type,
    first_reasons.identifier_value,
    -- why
    first_reasons.reason,
    -- a name beside it may still tell who is meant
    first_reasons.reason not like 'more than %'
    and first_reasons.identifier_type in ('email', 'phone') as is_told_by_name,
    -- counts
    cast(carried.record_count as integer) as record_count,
    cast(carried.given_name_count as integer) as given_name_count
from first_reasons
inner join carried
    on
        first_reasons.identifier_type = carried.identifier_type
        and first_reasons.identifier_value = carried.identifier_value
