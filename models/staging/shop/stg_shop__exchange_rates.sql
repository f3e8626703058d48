select
    -- keys
    currency,
    quote_currency,
    rate_date,
    load_id,
    -- what it is
    rate
from {{ ref('base_shop__exchange_rates') }}
where reject_reason is null
