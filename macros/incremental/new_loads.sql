{#-
    The loads after the sequence `through`, by default those that this model's table does not hold yet, as a list of
    literals: with names in the query the engine skips the files of all other loads. Loads are processed in the order of
    their arrival.
-#}
{%- macro new_loads(through=none) -%}
    {%- if not execute -%}{{ return("''") }}{%- endif -%}
    {%- set query -%}
        select load_id from {{ source('landing', 'loads') }}
        where load_sequence > {{ read_note(this).get('through', 0) if through is none else through }} order by load_sequence
    {%- endset -%}
    {%- set names = run_query(query).rows | map(attribute=0) | map('string') | list -%}
    {%- set literals = [] -%}
    {%- for name in names -%}{%- do literals.append(sql_text(name)) -%}{%- endfor -%}
    {{ return(literals | join(', ') or 'null') }}
{%- endmacro -%}
