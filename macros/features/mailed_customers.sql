{#- Who was mailed which campaign, as of its first day; two cards of one customer may be on one list. -#}
{%- macro mailed_customers() -%}
    select
        memberships.customer_id,
        mailed.campaign_id,
        max(mailed.campaign_type) as campaign_type,
        mailed.starts_on,
        max(mailed.ends_on) as ends_on
    from {{ ref('int_activity__campaign_recipients') }} as mailed
    inner join {{ ref('int_activity__memberships') }} as memberships
        on
            mailed.record_hash = memberships.record_hash
            and {{ owned_at('mailed.starts_on') }}
    group by memberships.customer_id, mailed.campaign_id, mailed.starts_on
{%- endmacro -%}
