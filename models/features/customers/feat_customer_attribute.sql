-- Of every customer and attribute that had been told of anybody before the date: who did not say is "unknown".

with profiles as (
    select
        customer_id,
        as_of_date,
        identity_basis
    from {{ ref('int_features__profile').include(database=false) }}
),

computed as (
    select * from {{ ref('int_features__attributes').include(database=false) }}
),

asked as (
    select
        as_of_date,
        attribute
    from computed
    group by as_of_date, attribute
)

select
    -- keys
    profiles.customer_id,
    profiles.as_of_date,
    asked.attribute,
    profiles.identity_basis,
    -- what was told last
    coalesce(computed.attribute_value, 'unknown') as attribute_value,
    try_cast(computed.attribute_value as double) as attribute_number,
    cast(profiles.as_of_date - computed.told_on as integer) as days_since_told
from profiles
inner join asked on profiles.as_of_date = asked.as_of_date
left join computed
    on
        profiles.customer_id = computed.customer_id
        and profiles.as_of_date = computed.as_of_date
        and asked.attribute = computed.attribute
