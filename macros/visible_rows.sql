{#- Rows of a landing table whose load is complete: its row in `loads` is written last. -#}
{%- macro visible_rows(table) -%}
    (
        select landed.*, loads.load_sequence
        from {{ source('landing', table) }} as landed
        inner join {{ source('landing', 'loads') }} as loads on landed.load_id = loads.load_id
    )
{%- endmacro -%}
