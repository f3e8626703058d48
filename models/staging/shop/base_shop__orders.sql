with landed as (
    select * from {{ visible_rows('orders') }}
),

versioned as (
    select
        *,
        row_number() over (
            partition by order_id
            order by known_at desc, load_sequence desc, occurred_at desc
        ) as version_rank
    from landed
)

select
    -- keys
    order_id,
    loyalty_id,
    store_id,
    load_id,
    -- what it is
    channel,
    status as order_status,
    currency,
    -- times
    occurred_at as ordered_at,
    {{ local_time('occurred_at', 'business_timezone') }} as ordered_at_local,
    known_at,
    -- verdict
    case
        when order_id is null then 'order_id is missing'
        when occurred_at is null then 'occurred_at is missing'
        when business_timezone is null then 'business_timezone is missing'
        when currency is null then 'currency is missing'
        when version_rank > 1 then 'a later version of this key stands'
    end as reject_reason
from versioned
