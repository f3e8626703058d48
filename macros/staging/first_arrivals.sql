{#-
    The rows of `relation`, each with the reason to set it aside as `reject_reason` (null = good): its own `problem`, or
    that another row of its key stands. For events and change logs, whose key holds the instant at which something
    happened or was written: what arrives under such a key later is a repeat and no newer version.

    Which row stands is a total order: a row without a problem before one with, then the first that was known, then the
    first that landed, then by content. What was known is so never changed afterwards.
-#}
{%- macro first_arrivals(relation, key, content=none) -%}
    {#- Without content of its own, a row that comes again is the same row. -#}
    {%- set content = content or key -%}
    select
        *,
        coalesce(
            problem,
            case
                when row_number() over arrivals > 1 then
                    case
                        when {{ record_of(content) }} is not distinct from first_value({{ record_of(content) }}) over arrivals
                            then 'exact duplicate'
                        else 'same key as an earlier row, other content'
                    end
            end
        ) as reject_reason
    from {{ relation }}
    window arrivals as (
        partition by {{ key | join(', ') }}
        order by problem is not null asc, known_at asc, load_sequence asc, {{ content | join(', ') }}
    )
{%- endmacro -%}
