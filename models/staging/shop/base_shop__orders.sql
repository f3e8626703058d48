with landed as (
    select * from {{ visible_rows('orders') }}
),

time_zones as (
    {{ time_zone_names() }}
),

named as (
    select
        landed.*,
        upper(trim(landed.currency)) as currency_code,
        lower(trim(coalesce(landed.status, 'completed'))) as order_status,
        -- null where the engine does not know the zone: asked for its wall clock, it would fail the whole build
        time_zones.zone_name
    from landed
    left join time_zones on landed.business_timezone = time_zones.zone_name
),

judged as (
    select
        *,
        case
            when order_id is null then 'order_id is missing'
            when occurred_at is null then 'occurred_at is missing'
            when occurred_at < timestamp '1971-01-01 00:00:00' then 'occurred_at is the zero of a clock'
            when known_at is null then 'known_at is missing'
            when {{ is_after_its_arrival() }} then 'occurred_at lies after known_at'
            when business_timezone is null then 'business_timezone is missing'
            when zone_name is null then 'business_timezone is no IANA zone'
            when currency is null then 'currency is missing'
            when length(currency_code) <> 3 then 'currency is no ISO 4217 code'
            when order_status not in ('completed', 'cancelled', 'returned') then 'status is unknown'
        end as problem
    from named
),

{{ versions_of(
    'judged',
    keys=['order_id'],
    content=[
        'loyalty_id', 'store_id', 'brand', 'channel', 'status', 'currency', 'business_timezone', 'user_id', 'email',
        'occurred_at',
    ],
) }},

-- An order that is cancelled in a later version was a purchase until then: features may not know it earlier.
last_valid as (
    select
        order_id,
        max(known_at) as last_valid_known_at
    from repeated_rows
    where
        problem is null
        and order_status = 'completed'
    group by order_id
),

voided as (
    select
        repeated_rows.order_id,
        min(repeated_rows.known_at) as voided_at
    from repeated_rows
    inner join last_valid on repeated_rows.order_id = last_valid.order_id
    where
        repeated_rows.problem is null
        and repeated_rows.order_status <> 'completed'
        and repeated_rows.known_at >= last_valid.last_valid_known_at
    group by repeated_rows.order_id
)

select
    -- keys
    versions.order_id,
    versions.loyalty_id,
    versions.user_id,
    {{ order_address('versions.email') }} as email,
    versions.store_id,
    {{ clean_text('versions.brand') }} as brand,
    versions.load_id,
    versions.load_sequence,
    -- what it is
    versions.channel,
    versions.order_status,
    versions.currency_code as currency,
    versions.zone_name as business_timezone,
    -- times
    versions.occurred_at as ordered_at,
    {{ local_time('versions.occurred_at', 'versions.zone_name') }} as ordered_at_local,
    versions.known_at,
    versions.first_known_at,
    case
        when versions.order_status <> 'completed'
            then greatest(versions.occurred_at, coalesce(voided.voided_at, versions.occurred_at))
    end as voided_at,
    -- verdict
    {{ reject_reason() }} as reject_reason
from versions
left join voided on versions.order_id = voided.order_id
