{#-
    The rows of `relation`, each with the reason to set it aside as `reject_reason` (null = good): its own `problem`, or
    that another row of its key stands. That one is the first that arrived: by known_at, then by load, then (in one
    delivery, where time does not tell) the least by its content. What was known is so never changed afterwards; a
    source that corrects a record does it with a new version.
-#}
{%- macro first_arrivals(relation, key, content) -%}
    select
        *,
        coalesce(
            problem,
            case
                when row_number() over arrivals > 1 then
                    case
                        when {{ record_of(content) }} is not distinct from first_value({{ record_of(content) }}) over arrivals
                            then 'exact duplicate'
                        else 'duplicate key with different content'
                    end
            end
        ) as reject_reason
    from {{ relation }}
    window arrivals as (
        partition by {{ key | join(', ') }}
        order by problem is not null asc, known_at asc, load_sequence asc, {{ content | join(', ') }}
    )
{%- endmacro -%}
