-- Whose record each one is: for all time as it is today, or from day to day as it was known.

{%- set business_timezone = setting('shop.business_timezone') %}

-- noqa: disable=LT02
select
    -- keys
    {{ record_hash('source_system', 'source_record_id') }} as record_hash,
    customer_id,
    -- as of dates after the one and, unless it is null, up to the other
    {% if feature_basis() == 'current' -%}
        cast(null as date) as known_from,
        cast(null as date) as known_until
    {%- else -%}
        cast({{ local_time('valid_from', business_timezone) }} as date) as known_from,
        cast({{ local_time('valid_to', business_timezone) }} as date) as known_until
    {%- endif %}
from {{ ref('master_customer_index') }}
{% if feature_basis() == 'current' -%}
where valid_to is null
{%- else -%}
-- what was corrected within a day no as-of date has seen
where
    valid_to is null
    or cast({{ local_time('valid_from', business_timezone) }} as date)
    < cast({{ local_time('valid_to', business_timezone) }} as date)
{%- endif %}
