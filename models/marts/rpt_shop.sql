with as_of_dates as (
    select * from {{ ref('int_as_of_dates') }}
    where is_current
)

select
    -- what it is
    cast({{ setting('shop.title') }} as varchar) as shop_title,
    cast({{ setting('shop.business_timezone') }} as varchar) as business_timezone,
    cast({{ setting('shop.reporting_currency') }} as varchar) as reporting_currency,
    -- times
    as_of_date,
    as_of_date - 1 as data_through_date
from as_of_dates
