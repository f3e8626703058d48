with landed as (
    select * from {{ visible_rows('orders') }}
),

judged as (
    select
        *,
        case
            when order_id is null then 'order_id is missing'
            when occurred_at is null then 'occurred_at is missing'
            when business_timezone is null then 'business_timezone is missing'
            when currency is null then 'currency is missing'
        end as problem
    from landed
),

versioned as (
    select
        *,
        row_number() over (
            partition by order_id
            order by problem is not null asc, known_at desc, load_sequence desc, occurred_at desc
        ) as version_rank
    from judged
)

select
    -- keys
    order_id,
    -- an empty card number is none: taken as one, it would make one customer of all who have none
    nullif(trim(loyalty_id), '') as loyalty_id,
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
    coalesce(problem, case when version_rank > 1 then 'a later version of this key stands' end) as reject_reason
from versioned
