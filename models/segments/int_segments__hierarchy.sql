-- Which segment is part of which, over all levels; each is part of itself at depth 0.

{%- set depths = [1, 2, 3] %}

with catalog as (
    select * from {{ ref('int_segments__catalog') }}
)

select
    segment_key,
    segment_key as ancestor_segment_key,
    cast(0 as integer) as depth
from catalog
{% for depth in depths -%}
    union all
    select
        part.segment_key,
        level_{{ depth }}.parent_segment_key as ancestor_segment_key,
        cast({{ depth }} as integer) as depth
    from catalog as part
    {% for level in range(1, depth + 1) -%}
        {%- set child = 'part.segment_key' if loop.first else 'level_' ~ (level - 1) ~ '.parent_segment_key' %}
        inner join catalog as level_{{ level }}
            on {{ child }} = level_{{ level }}.segment_key
    {% endfor -%}
    where level_{{ depth }}.parent_segment_key is not null
{% endfor -%}
