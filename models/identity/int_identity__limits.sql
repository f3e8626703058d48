-- The shop's limits of what one customer may be, one row, for the Python models: they cannot read settings.
{%- set limits = setting_value('identity') or {} %}

select
    cast({{ limits.max_records_per_customer }} as integer) as max_records_per_customer,
    cast({{ limits.bridge_min_records }} as integer) as bridge_min_records,
    cast({{ limits.one_customer_has.loyalty_ids or 'null' }} as integer) as loyalty_ids,
    cast({{ limits.one_customer_has.logins or 'null' }} as integer) as logins
