{#-
    What this build has to look at again: records that new loads name, and those that staging tells another story of than
    at the last build. Empty in a full build, which looks at everything. The tables of the last build are read as they
    stand (`beside`), before the models that make them come to their turn.
-#}
{%- set orders, events, visitors = ref('stg_shop__orders'), ref('base_web__events'), ref('stg_web__visitors') -%}

{% if changes_can_continue() -%}
    {%- set records = beside(this, 'int_identity__source_records') -%}
    {%- set loads = new_loads() -%}
    {%- set through = read_note(this).through -%}
    -- noqa: disable=LT02
    with landed as (
        select
            source_system,
            source_record_id
        from ({{ landed_records(loads) }}) as landed_records
    ),

    -- A row that comes again may name somebody else than before: whom it named loses it.
    new_orders as (
        select order_id
        from {{ visible_rows('orders') }} as landed
        where load_id in ({{ loads }})
        group by order_id
    ),

    displaced as (
        select
            'orders' as source_system,
            {{ landed_buyer() }} as source_record_id
        from {{ visible_rows('orders') }} as landed
        where order_id in (select new_orders.order_id from new_orders)
        {% for table, key in {
            'email_events': 'message_id', 'support_tickets': 'ticket_id', 'survey_answers': 'response_id',
        }.items() -%}
            union all
            select
                'emails' as source_system,
                -- an aggregate, or the engine would read every address that ever landed before it looks at the key
                max({{ normalize_email('email') }}) as source_record_id
            from {{ visible_rows(table) }} as landed
            where {{ key }} in (
                select again.{{ key }} from {{ visible_rows(table) }} as again
                where again.load_id in ({{ loads }})
            )
            group by email
        {% endfor -%}
    ),

    web_events as (
        select
            anonymous_id,
            user_id,
            order_id
        from {{ events }}
        where
            load_sequence > {{ through }}
            and (user_id is not null or email is not null or order_id is not null)
        group by anonymous_id, user_id, order_id
    ),

    on_the_web as (
        select
            'web_visitors' as source_system,
            anonymous_id as source_record_id
        from web_events
        union all
        select
            'web_users' as source_system,
            user_id as source_record_id
        from web_events
        union all
        select
            'orders' as source_system,
            buyer as source_record_id
        from {{ orders }}
        where order_id in (select web_events.order_id from web_events)
    ),

    -- A verdict on a visitor depends on all others: it may change without a new row. What staging says of a contact
    -- depends on its own rows.
    judged_otherwise as (
        select
            standing.source_system,
            standing.source_record_id
        from {{ records }} as standing
        left join {{ visitors }} as visitors on standing.source_record_id = visitors.anonymous_id
        where
            standing.source_system = 'web_visitors'
            and coalesce(visitors.is_bot, false) is distinct from (coalesce(standing.set_aside_reason, '') = 'bot')
    ),

    changed as (
        {% for cte in ['landed', 'displaced', 'on_the_web', 'judged_otherwise'] -%}
            select
                source_system,
                source_record_id
            from {{ cte }}
            where source_record_id is not null
            {{ 'union' if not loop.last }}
        {% endfor -%}
    ),

    keyed as (
        select
            {{ stable_hash(['source_system', 'source_record_id']) }} as source_record_key,
            source_system,
            source_record_id
        from changed
    ),

    carried as (
        select
            source_record_key,
            {{ list_of('identifier_type || \':\' || identifier_value') }} as identifiers_before
        from {{ beside(this, 'int_identity__identifiers') }}
        where source_record_key in (select keyed.source_record_key from keyed)
        group by source_record_key
    )

    select
        -- keys
        keyed.source_record_key,
        keyed.source_system,
        keyed.source_record_id,
        -- what it carried at the last build
        carried.identifiers_before
    from keyed
    left join carried on keyed.source_record_key = carried.source_record_key
{%- else -%}
    select
        cast(null as varchar) as source_record_key,
        cast(null as varchar) as source_system,
        cast(null as varchar) as source_record_id,
        cast(null as varchar[]) as identifiers_before
    where false
{%- endif %}
