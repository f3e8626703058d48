{#-
    Whether two birth dates can be one person's: equal, one digit wrong, two neighbors swapped, or day and month
    exchanged. Null where one is missing.
-#}
{%- macro birth_dates_fit(left, right) -%}
    (
        {{ left }} = {{ right }}
        or {{ edit_distance('cast(' ~ left ~ ' as varchar)', 'cast(' ~ right ~ ' as varchar)') }} <= 1
        or (
            extract(year from {{ left }}) = extract(year from {{ right }})
            and extract(month from {{ left }}) = extract(day from {{ right }})
            and extract(day from {{ left }}) = extract(month from {{ right }})
        )
    )
{%- endmacro -%}
