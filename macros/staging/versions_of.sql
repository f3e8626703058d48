{#-
    CTEs that say, of each row of the CTE `rows`, whether it stands for its key; the last of them is `versions`. Its columns
    first_known_at and content_known_at say when a good row of the key, and one of the same content, was first known: a
    source that lands everything again every day tells nothing new.

    Which row stands is a total order, so that neither the order of rows nor that of files matters: a row without a
    problem before one with, then the later known, then the later load, then by content. `rows` has the columns problem,
    known_at and load_sequence; `content` are the columns that two versions can differ in. Only keys that are there more
    than once are sorted: a window over all rows would cost as much as reading them.
-#}
{%- macro versions_of(rows, keys, content) -%}
repeated_keys as (
    select {{ keys | join(', ') }}
    from {{ rows }}
    group by {{ keys | join(', ') }}
    having count(*) > 1
),

repeated_rows as (
    select
        {{ rows }}.*,
        {{ to_json_object(content, rows) }} as content
    from {{ rows }}
    inner join repeated_keys on {{ equal_keys(rows, 'repeated_keys', keys) }}
),

versions as (
    select
        {{ rows }}.*,
        cast(null as varchar) as content,
        1 as version_rank,
        cast(null as varchar) as standing_content,
        cast(null as timestamp) as standing_known_at,
        cast(null as bigint) as standing_load_sequence,
        {{ rows }}.known_at as first_known_at,
        {{ rows }}.known_at as content_known_at
    from {{ rows }}
    left join repeated_keys on {{ equal_keys(rows, 'repeated_keys', keys) }}
    where repeated_keys.{{ keys[0] }} is null
    union all
    select
        *,
        row_number() over (newest_first) as version_rank,
        first_value(content) over (newest_first) as standing_content,
        first_value(known_at) over (newest_first) as standing_known_at,
        first_value(load_sequence) over (newest_first) as standing_load_sequence,
        min(case when problem is null then known_at end) over (partition by {{ keys | join(', ') }}) as first_known_at,
        min(known_at) over (partition by {{ keys | join(', ') }}, content) as content_known_at
    from repeated_rows
    window newest_first as (
        partition by {{ keys | join(', ') }}
        order by problem is not null asc, known_at desc, load_sequence desc, content desc
    )
)
{%- endmacro -%}


{#- Why a row of `versions` is set aside; null for the one that stands. -#}
{%- macro reject_reason() -%}
    case
        when problem is not null then problem
        when version_rank = 1 then null
        when content = standing_content then 'exact duplicate'
        when known_at = standing_known_at and load_sequence = standing_load_sequence
            then 'same key and arrival as the row that stands, other content'
        else 'a later version of this key stands'
    end
{%- endmacro -%}


{#-
    Reasons in the quarantine that are no fault: a table that is landed again in full sets every earlier version aside.
    They are kept there, so that what landed is what is staged plus what is in quarantine.
-#}
{%- macro routine_reasons() -%}
    {{ return(['a later version of this key stands', 'exact duplicate']) }}
{%- endmacro -%}


{%- macro equal_keys(left, right, keys) -%}
    {%- for key in keys -%}
        {{ left }}.{{ key }} = {{ right }}.{{ key }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro -%}
