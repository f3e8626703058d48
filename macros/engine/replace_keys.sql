{#-
    The incremental strategy of this project: rows of the new build replace those of the table that have the same key
    (`unique_key`, a list). With `meta.increment.replaces_from`, an ordered column, they replace all rows of the key from
    the first new value on, so that what does not exist any more goes as well. Null keys replace nothing.
-#}
{%- macro get_incremental_replace_keys_sql(arg_dict) -%}
    {{ return(adapter.dispatch('replace_keys')(arg_dict)) }}
{%- endmacro -%}


{%- macro duckdb__replace_keys(arg_dict) -%}
    {%- set target, incoming, keys = arg_dict['target_relation'], arg_dict['temp_relation'], arg_dict['unique_key'] -%}
    {%- set columns = get_quoted_csv(arg_dict['dest_columns'] | map(attribute='name')) -%}
    {%- set ordered = config.get('meta').increment.get('replaces_from') -%}
    delete from {{ target }} as standing
    using (
        select
            {{ keys | join(', ') }}{{ ', min(' ~ ordered ~ ') as first_replaced' if ordered }}
        from {{ incoming }}
        group by {{ keys | join(', ') }}
    ) as incoming
    where
        {% for key in keys -%}
        standing.{{ key }} = incoming.{{ key }}{{ ' and ' if not loop.last }}
        {%- endfor %}
        {{ 'and standing.' ~ ordered ~ ' >= incoming.first_replaced' if ordered }};

    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ incoming }}
{%- endmacro -%}
