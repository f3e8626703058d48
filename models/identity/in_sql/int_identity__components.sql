{#-
    The same as the Python model of this name, in SQL that every engine with recursive queries runs. On DuckDB, where SciPy
    is twenty times as fast, it is off; `--vars '{components_in_sql: true}'` switches the two.
-#}
with recursive edges as (
    select
        left_number as this_number,
        right_number as other_number
    from {{ ref('int_identity__edges') }}
    where {{ is_among('int_identity__touched_records', 'left_number', 'record_number') }}
    union
    select
        right_number as this_number,
        left_number as other_number
    from {{ ref('int_identity__edges') }}
    where {{ is_among('int_identity__touched_records', 'right_number', 'record_number') }}
),

-- Which smaller numbers reach a record, over any number of edges: union, and not union all, ends the search.
reached as (
    select
        record_number,
        record_number as component_number
    from {{ ref('int_identity__source_records') }}
    where {{ is_among('int_identity__touched_records', 'record_number') }}
    union
    select
        edges.other_number as record_number,
        reached.component_number
    from reached
    inner join edges on reached.record_number = edges.this_number
    where reached.component_number < edges.other_number
)

select
    record_number,
    min(component_number) as component_number
from reached
group by record_number
