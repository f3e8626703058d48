{#-
    Fails with the values of `column` that the rows of the newest `sequence` share with any row. For a table that only
    grows: what came before was held against all rows when it was the newest, and looking at all again costs seconds.
-#}
{%- test unique_among_newest(model, column, sequence) -%}
    with newest as (
        select {{ column }}
        from {{ model }}
        where {{ sequence }} = (select max({{ sequence }}) from {{ model }})
    )

    select {{ column }}, count(*) as row_count
    from {{ model }}
    where {{ column }} in (select {{ column }} from newest)
    group by {{ column }}
    having count(*) > 1
{%- endtest -%}
