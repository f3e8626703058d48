{#- Full years between a birth date and a later date. -#}
{%- macro age_in_years(birth_date, at) -%}
    cast(
        extract(year from {{ at }}) - extract(year from {{ birth_date }}) - case
            when
                extract(month from {{ at }}) * 100 + extract(day from {{ at }})
                < extract(month from {{ birth_date }}) * 100 + extract(day from {{ birth_date }})
                then 1
            else 0
        end as integer
    )
{%- endmacro -%}
