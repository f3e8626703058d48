{#-
    The records that landed rows name, one row a source, record and load; a null id names nobody. Of all loads, or of
    `loads`, a list of literals. Every row counts, whether it still stands or not: a record that was named once stays the
    same record. Web logins and visitors are not here: staging cuts their events by load itself.
-#}
{%- macro landed_records(loads=none) -%}
    {%- set record_sources = {
        'loyalty_members': 'loyalty_id',
        'orders': landed_buyer(),
        'campaign_recipients': 'loyalty_id',
        'coupon_redemptions': 'loyalty_id',
        'crm_contacts': 'contact_id',
    } -%}
    {% for source_system, source_record_id in record_sources.items() -%}
        select
            '{{ source_system }}' as source_system,
            {{ source_record_id }} as source_record_id,
            load_sequence,
            min(known_at) as known_at
        from {{ visible_rows(source_system) }} as landed
        {{ 'where load_id in (' ~ loads ~ ')' if loads is not none }}
        group by source_system, {{ source_record_id }}, load_sequence
        union all
    {% endfor -%}
    -- An address is written in many rows and read once: grouped, or the engine would carry conditions below the reading.
    select
        'emails' as source_system,
        case when {{ is_email('plain_email') }} then plain_email end as source_record_id,
        load_sequence,
        known_at
    from (
        select
            max({{ normalize_email('email') }}) as plain_email,
            load_sequence,
            min(known_at) as known_at
        from (
            {% for table in ['email_events', 'support_tickets', 'survey_answers'] -%}
                select
                    email,
                    load_sequence,
                    min(known_at) as known_at
                from {{ visible_rows(table) }} as landed
                {{ 'where load_id in (' ~ loads ~ ')' if loads is not none }}
                group by email, load_sequence
                {{ 'union all' if not loop.last }}
            {% endfor -%}
        ) as written_addresses
        group by email, load_sequence
    ) as plain_addresses
{%- endmacro -%}


{#- Who bought, as a landed order names them. -#}
{%- macro landed_buyer() -%}
    {{ return(buyer(email=order_address(), brand=clean_text('brand'))) }}
{%- endmacro -%}
