{#-
    Rows of a landing table whose load is complete (its row in `loads` is written last), in the contract's columns and
    types: a file may hold more columns, and one of an older contract fewer.
-#}
{%- macro visible_rows(table) -%}
    (
        select
            {{ contract_columns(table) }},
            loads.load_sequence
        from {{ source('landing', table) }} as landed
        inner join {{ source('landing', 'loads') }} as loads on landed.load_id = loads.load_id
    )
{%- endmacro -%}


{%- macro contract_columns(table) -%}
    {%- if not execute -%}{{ return('landed.*') }}{%- endif -%}
    {%- set declared = graph.sources.values() | selectattr('source_name', 'equalto', 'landing')
        | selectattr('name', 'equalto', table) | first -%}
    {%- set columns = [] -%}
    {%- for column in declared.columns.values() -%}
        {%- do columns.append('cast(landed.' ~ column.name ~ ' as ' ~ column.data_type ~ ') as ' ~ column.name) -%}
    {%- endfor -%}
    {{ return(columns | join(',\n            ')) }}
{%- endmacro -%}
