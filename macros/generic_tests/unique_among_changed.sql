{#-
    Fails with values of the column, or combinations of `columns`, that stand more than once, among rows whose `column` is among the `changes` of
    this build (their column of the same name). What did not change was held against all when it did. Without changes,
    as in a full build, all rows are looked at.
-#}
{%- test unique_among_changed(model, changes, column, columns=none, column_name=none) -%}
    {%- set columns = columns or [column_name] -%}
    {%- set is_increment = execute and run_query('select count(*) from ' ~ changes).rows[0][0] > 0 -%}
    select {{ columns | join(', ') }}, count(*) as row_count
    from {{ model }}
    {% if is_increment -%}
    where {{ column }} in (select changes.{{ column }} from {{ changes }} as changes)
    {%- endif %}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{%- endtest -%}
