{#-
    Whose memberships are written anew: those of touched records; those that promotions have recorded since the last build;
    and those that none has recorded yet, because a correction is dated to the newest arrival until it is promoted.
-#}
{%- set ledger, touched = source('ledger', 'identity_memberships'), ref('int_identity__touched_records') -%}

{% if changes_continue() -%}
    {%- set memberships = beside(this, 'int_identity__memberships') -%}
    with ledger as (
        select * from {{ ledger }}
    )

    select source_record_key from {{ touched }}
    union
    select source_record_key from ledger
    where promotion_number > (select coalesce(max(promotion_number), 0) from {{ memberships }})
    union
    select source_record_key from {{ memberships }}
    where
        promotion_number is null
        and exists (select 1 from ledger)
{%- else -%}
    select cast(null as varchar) as source_record_key
    from {{ touched }}
    where false
{%- endif %}
