{#-
    What stands between `as` and the bracket of a CTE that is read more than once: `kept()` computes it once and holds
    it, `inlined()` computes it wherever it is read. The engine's own choice would hold fifty million wide rows.
-#}
{%- macro kept() -%}
    {{ return(adapter.dispatch('kept')()) }}
{%- endmacro -%}


{%- macro duckdb__kept() -%}
    {{ return('materialized') }}
{%- endmacro -%}


{%- macro spark__kept() -%}
    {{ return('') }}
{%- endmacro -%}


{%- macro inlined() -%}
    {{ return(adapter.dispatch('inlined')()) }}
{%- endmacro -%}


{%- macro duckdb__inlined() -%}
    {{ return('not materialized') }}
{%- endmacro -%}


{%- macro spark__inlined() -%}
    {{ return('') }}
{%- endmacro -%}
