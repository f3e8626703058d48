{#-
    The incremental strategy of the membership history: what is evaluated or read from the ledger now goes and comes
    anew, and so does what lies after the current as-of date; all else stands.
-#}
{%- macro get_incremental_replace_evaluated_sql(arg_dict) -%}
    {%- set target, incoming = arg_dict['target_relation'], arg_dict['temp_relation'] -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='name') | join(', ') -%}
    {%- set due = beside(this, 'int_segments__due') -%}
    delete from {{ target }} as standing
    where
        exists (
            select 1 from {{ due }} as due
            where
                standing.segment_key = due.segment_key
                and standing.as_of_date = due.as_of_date
                and (due.is_evaluated or due.is_from_ledger)
        )
        or not exists (
            select 1 from {{ due }} as due
            where
                standing.segment_key = due.segment_key
                and standing.as_of_date = due.as_of_date
        );

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ incoming }}
{%- endmacro -%}
