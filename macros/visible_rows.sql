{#-
    Rows of a landing table whose load is complete (its row in `loads` is written last), in the contract's columns and
    types: a file may hold more columns, and one of an older contract fewer. Identifiers (*_id) come trimmed, and an empty
    one is none: taken as one, it would make one customer of all who have none.
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
        {%- set value = 'cast(landed.' ~ column.name ~ ' as ' ~ column.data_type ~ ')' -%}
        {%- if column.name.endswith('_id') and column.name != 'load_id' -%}
            {#- Hardly any needs it, and to trim all takes longer than to read them. -#}
            {%- set value = "case when " ~ value ~ " like ' %' or " ~ value ~ " like '% ' or " ~ value ~ " = '' then nullif(trim("
                ~ value ~ "), '') else " ~ value ~ " end" -%}
        {%- endif -%}
        {%- do columns.append(value ~ ' as ' ~ column.name) -%}
    {%- endfor -%}
    {{ return(columns | join(',\n            ')) }}
{%- endmacro -%}
