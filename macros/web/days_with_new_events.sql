{#- The local days that events of new loads fall on, as a list of literals for `in`; late events touch days long past. -#}
{%- macro days_with_new_events() -%}
    {%- if not execute -%}{{ return("null") }}{%- endif -%}
    {%- set query -%}
        select event_date from {{ ref('base_web__events') }}
        where reject_reason is null and load_sequence > {{ read_note(this).get('through', 0) }}
        group by event_date order by event_date
    {%- endset -%}
    {%- set literals = [] -%}
    {%- for day in run_query(query).rows | map(attribute=0) -%}
        {%- do literals.append("date '" ~ day ~ "'") -%}
    {%- endfor -%}
    {{ return(literals | join(', ') or 'null') }}
{%- endmacro -%}
