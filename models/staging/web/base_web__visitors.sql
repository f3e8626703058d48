{%- set is_increment = is_incremental() -%}
{%- set kinds = web_event_kinds() -%}

-- noqa: disable=LT02
with days as {{ inlined() }} (
    select *
    from {{ ref('base_web__visitor_days') }}
    {%- if is_increment %}
    where
        visitor_key in (
            select visitor_key from {{ ref('base_web__visitor_days') }}
            where load_sequence > {{ read_note(this).get('through', 0) }}
        )
    {%- endif %}
),

sessions as (
    select
        anonymous_id,
        count(*) as session_count
    from {{ ref('stg_web__sessions') }}
    {%- if is_increment %}
    where anonymous_id in (select anonymous_id from days)
    {%- endif %}
    group by anonymous_id
),

totals as (
    select
        visitor_key,
        min(anonymous_id) as anonymous_id,
        max(load_sequence) as load_sequence,
        min(declared_name) as declared_name,
        bool_or(is_identified) as is_identified,
        bool_or(has_order) as has_order,
        min(first_event_at) as first_seen_at,
        max(last_event_at) as last_seen_at,
        count(*) as day_count,
        sum(event_count) as event_count,
        {%- for parts in range(2, 7) %}
        count(*) filter (where part_of_day_count = {{ parts }}) as day_count_of_{{ parts }}_parts,
        {%- endfor %}
        {%- for kind in kinds %}
        coalesce(sum({{ kind }}_count) filter (where not has_order), 0) as {{ kind }}_count,
        {%- endfor %}
        coalesce(sum(event_count) filter (where not has_order), 0) as browsing_event_count
    from days
    group by visitor_key
)

select
    -- keys
    totals.visitor_key,
    totals.anonymous_id,
    totals.load_sequence,
    -- who
    totals.declared_name,
    totals.is_identified,
    totals.has_order,
    -- when
    totals.first_seen_at,
    totals.last_seen_at,
    cast(totals.day_count as integer) as day_count,
    {%- for parts in range(2, 7) %}
    cast(totals.day_count_of_{{ parts }}_parts as integer) as day_count_of_{{ parts }}_parts,
    {%- endfor %}
    -- how much
    cast(sessions.session_count as integer) as session_count,
    cast(totals.event_count as bigint) as event_count,
    -- what, on days without an order
    cast(totals.browsing_event_count as bigint) as browsing_event_count,
    {%- for kind in kinds %}
    cast(totals.{{ kind }}_count as bigint) as {{ kind }}_count,
    {%- endfor %}
    {{ kind_count('totals.') }} as kind_count,
    {{ kind_log_sum('totals.') }} as kind_log_sum
from totals
inner join sessions on totals.anonymous_id = sessions.anonymous_id
