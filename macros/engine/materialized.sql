{#-
    Tables and views on DuckDB, with fewer statements than dbt-duckdb's own materializations. Those serve foreign keys,
    indexes, DuckLake and grants, which no model here has, and look for each of them at every model: on a small shop
    that was more than a quarter of the time of a stage.

    Everything happens in one transaction: whoever reads meanwhile sees the old relation, and a failed build leaves it.
    A model may read its own table as it stood, because the new one is written beside it.
-#}
{%- materialization table, adapter='duckdb', supported_languages=['sql', 'python'] -%}
    {%- set target = this.incorporate(type='table') -%}
    {%- set fresh = make_intermediate_relation(target) -%}
    {%- set standing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main', language=model['language']) -%}
        {{ create_table_as(False, fresh, compiled_code, model['language']) }}
    {%- endcall -%}
    {%- call statement('take_its_place') -%}
        {{ dropped(standing) }}
        alter table {{ fresh }} rename to {{ adapter.quote(target.identifier) }};
        {{ described(target) }}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization -%}


{%- materialization view, adapter='duckdb' -%}
    {%- set target = this.incorporate(type='view') -%}
    {%- set standing = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {%- call statement('main') -%}
        {{ dropped(standing) }}
        {{ get_create_view_as_sql(target, compiled_code) }};
        {{ described(target) }}
    {%- endcall -%}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{%- endmaterialization -%}


{%- macro dropped(relation) -%}
    {%- if relation is not none -%}
        drop {{ relation.type }} if exists {{ relation }};
    {%- endif -%}
{%- endmacro -%}


{#- Comments on the relation and its columns, as `persist_docs` asks for them. The contract says that all columns exist. -#}
{%- macro described(relation) -%}
    {%- if config.persist_relation_docs() and model.description %}
        {{ alter_relation_comment(relation, model.description) }}
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for column in model.columns.values() -%}
            {%- set name = adapter.quote(column.name) if column.quote else column.name %}
            comment on column {{ relation }}.{{ name }} is {{ duckdb_escape_comment(column.description) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
