{#-
    Fails with values of the column, or combinations of `columns`, that stand more than once, among rows whose `column`
    is among the `changes` of this build (their column of the same name). What did not change was held against all when
    it did. Without changes, as in a full build, all rows are looked at.
-#}
{%- test unique_among_changed(model, changes, column, columns=none, column_name=none) -%}
    {%- set columns = columns or [column_name] -%}
    select {{ columns | join(', ') }}, count(*) as row_count
    from {{ model }}
    where
        {{ column }} in (select changes.{{ column }} from {{ changes }} as changes)
        or not exists (select 1 from {{ changes }})
    group by {{ columns | join(', ') }}
    having count(*) > 1
{%- endtest -%}
