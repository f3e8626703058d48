{#- A query for what the ledger has on record: of each segment and as-of date what was promoted last. -#}
{%- macro newest_evaluations() -%}
    select
        segment_key,
        as_of_date,
        segment_type,
        definition_hash,
        is_reconstructed,
        member_count,
        members_hash,
        promotion_number
    from (
        select
            *,
            row_number() over (
                partition by segment_key, as_of_date
                order by promotion_number desc
            ) as place
        from {{ source('ledger', 'segment_evaluations') }}
    ) as placed
    where place = 1
{%- endmacro -%}
