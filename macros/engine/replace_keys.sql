{#-
    The incremental strategy of this project: rows of the new build replace those of the table that have the same key
    (`unique_key`, a list). With `meta.increment.replaces_from`, an ordered column, they replace all rows of the key from
    the first new value on, so that what does not exist any more goes as well; with `meta.increment.replaces_days`, all
    rows of the days on which the model that it follows has new events. Null keys replace nothing.
-#}
{%- macro get_incremental_replace_keys_sql(arg_dict) -%}
    {{ return(replace_rows(
        arg_dict['target_relation'],
        arg_dict['temp_relation'],
        arg_dict['dest_columns'] | map(attribute='name') | list,
        arg_dict['unique_key'],
        config.get('meta').increment.get('replaces_from'),
        ref(config.get('meta').increment.follows) if config.get('meta').increment.get('replaces_days') else none,
        read_note(this).get('through', 0),
    )) }}
{%- endmacro -%}


{%- macro replace_rows(target, incoming, columns, keys, replaces_from=none, followed=none, through=0) -%}
    {{ return(adapter.dispatch('replace_rows')(target, incoming, columns, keys, replaces_from, followed, through)) }}
{%- endmacro -%}


{%- macro duckdb__replace_rows(target, incoming, columns, keys, replaces_from, followed, through) -%}
    {% if followed -%}
    delete from {{ target }}
    where event_date in (select event_date from {{ followed }} where load_sequence > {{ through }});
    {%- else -%}
    delete from {{ target }} as standing
    using (
        select {{ keys | join(', ') }}{{ ', min(' ~ replaces_from ~ ') as replaced_from' if replaces_from }}
        from {{ incoming }}
        group by {{ keys | join(', ') }}
    ) as incoming
    where
        {% for key in keys -%}
        standing.{{ key }} = incoming.{{ key }}{{ ' and ' if not loop.last }}
        {%- endfor %}
        {{ 'and standing.' ~ replaces_from ~ ' >= incoming.replaced_from' if replaces_from }};
    {%- endif %}

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from {{ incoming }}
{%- endmacro -%}


{#-
    The incremental strategy of the identity stage: what is among the changes goes, and what was computed of it anew comes,
    also where that is nothing. `meta.increment.among` names the model with the changes, `replaces` which of this table's
    columns are which of its.
-#}
{%- macro get_incremental_replace_changed_sql(arg_dict) -%}
    {%- set increment = config.get('meta').increment -%}
    {{ return(replace_changed(
        arg_dict['target_relation'],
        arg_dict['temp_relation'],
        arg_dict['dest_columns'] | map(attribute='name') | list,
        beside(this, increment.among),
        increment.replaces,
    )) }}
{%- endmacro -%}


{%- macro replace_changed(target, incoming, columns, changes, replaces) -%}
    {{ return(adapter.dispatch('replace_changed')(target, incoming, columns, changes, replaces)) }}
{%- endmacro -%}


{%- macro duckdb__replace_changed(target, incoming, columns, changes, replaces) -%}
    delete from {{ target }} as standing
    using (select distinct {{ replaces.values() | join(', ') }} from {{ changes }}) as changes
    where
        {% for column, changed in replaces.items() -%}
        standing.{{ column }} = changes.{{ changed }}{{ ' and ' if not loop.last }}
        {%- endfor %};

    insert into {{ target }} ({{ columns | join(', ') }})
    select {{ columns | join(', ') }} from {{ incoming }};

    -- of a Python model it is a table like any other, and dbt leaves it behind
    drop table if exists {{ incoming }}
{%- endmacro -%}
