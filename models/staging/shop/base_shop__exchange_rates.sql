with landed as (
    select * from {{ visible_rows('exchange_rates') }}
),

named as (
    select
        upper(trim(currency)) as currency,
        upper(trim(quote_currency)) as quote_currency,
        rate_date,
        rate,
        known_at,
        load_id,
        load_sequence
    from landed
),

judged as (
    select
        *,
        case
            when currency is null or quote_currency is null or rate_date is null then 'key is missing'
            when length(currency) <> 3 or length(quote_currency) <> 3 then 'currency is no ISO 4217 code'
            when currency = quote_currency then 'both currencies are the same'
            when rate is null then 'rate is missing'
            when rate <= 0 then 'rate is not positive'
        end as problem
    from named
),

{{ versions_of('judged', keys=['currency', 'quote_currency', 'rate_date'], content=['rate']) }}

select
    -- keys
    currency,
    quote_currency,
    rate_date,
    load_id,
    -- what it is
    rate,
    -- verdict
    {{ reject_reason() }} as reject_reason
from versions
