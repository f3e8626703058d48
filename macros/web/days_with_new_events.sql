{#-
    The local days that new loads touch, as a list of literals for `in`; late events touch days long past. `followed` is
    what this model is made from (columns event_date and load_sequence).
-#}
{%- macro days_with_new_events(followed, condition='true') -%}
    {%- if not execute -%}{{ return("null") }}{%- endif -%}
    {%- set query -%}
        select event_date from {{ followed }}
        where {{ condition }} and load_sequence > {{ read_note(this).get('through', 0) }}
        group by event_date order by event_date
    {%- endset -%}
    {%- set literals = [] -%}
    {%- for day in run_query(query).rows | map(attribute=0) -%}
        {%- do literals.append("date '" ~ day ~ "'") -%}
    {%- endfor -%}
    {{ return(literals | join(', ') or 'null') }}
{%- endmacro -%}
