{#-
    For a pre-hook and a post-hook around the build of a large table: rows may be written in any order. DuckDB keeps the
    order of rows by writing row groups twice, which doubles time and file size; no table here promises an order.
-#}
{%- macro unordered_writes(begin) -%}
    {{ return(adapter.dispatch('unordered_writes')(begin)) }}
{%- endmacro -%}


{%- macro duckdb__unordered_writes(begin) -%}
    {{ 'set' if begin else 'reset' }} global preserve_insertion_order{{ ' = false' if begin }}
{%- endmacro -%}


{%- macro spark__unordered_writes(begin) -%}
{%- endmacro -%}
