-- One number for all that a customer's features rest on: facts and memberships of its records. What differs from the
-- last build is computed anew, whatever the reason; nobody has to know which load or merge touched whom.

{%- set facts = [
    ref('int_activity__purchase_days'), ref('int_activity__orders'), ref('int_activity__order_lines'),
    ref('int_activity__campaign_recipients'), ref('int_activity__coupon_redemptions'),
    ref('int_activity__web_sessions'), ref('int_activity__web_products'), ref('int_activity__mails'),
    ref('int_activity__profiles'), ref('int_activity__statements'), ref('int_activity__purchased_categories'),
] %}

-- noqa: disable=LT02
with facts as (
    {% for relation in facts -%}
        select
            record_hash,
            {{ fingerprint_of_rows(relation) }} as fingerprint
        from {{ relation }}
        group by record_hash
        {{ 'union all' if not loop.last }}
    {% endfor -%}
),

records as (
    select
        record_hash,
        sum(fingerprint) as fingerprint
    from facts
    group by record_hash
),

customers as (
    select
        memberships.customer_id,
        sum(cast({{ fast_hash([
            'memberships.record_hash', 'memberships.known_from', 'memberships.known_until',
            'cast(records.fingerprint as varchar)',
        ]) }} as decimal(38, 0))) as fingerprint
    from {{ ref('int_activity__memberships') }} as memberships
    -- a record that did nothing says nothing
    inner join records on memberships.record_hash = records.record_hash
    group by memberships.customer_id
)

{% if features_can_continue() -%}
    select
        coalesce(customers.customer_id, standing.customer_id) as customer_id,
        cast(customers.fingerprint as decimal(38, 0)) as fingerprint,
        standing.fingerprint is distinct from customers.fingerprint as is_changed
    from customers
    full outer join {{ this }} as standing on customers.customer_id = standing.customer_id
    -- who was gone at the last build is forgotten
    where customers.customer_id is not null or standing.fingerprint is not null
{%- else -%}
    select
        customer_id,
        cast(fingerprint as decimal(38, 0)) as fingerprint,
        true as is_changed
    from customers
{%- endif %}
