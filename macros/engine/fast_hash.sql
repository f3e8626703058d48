{#-
    A number of 63 bits from the parts, cheap enough for every row. It holds for one version of the engine: what is kept
    across runs with it is rebuilt when the version changes, and ids that people see are made by stable_hash.
-#}
{%- macro fast_hash(parts) -%}
    {{ return(adapter.dispatch('fast_hash')(parts)) }}
{%- endmacro -%}


{%- macro duckdb__fast_hash(parts) -%}
    cast(hash({{ parts | join(', ') }}) >> 1 as bigint)
{%- endmacro -%}


{%- macro spark__fast_hash(parts) -%}
    shiftrightunsigned(xxhash64({{ parts | join(', ') }}), 1)
{%- endmacro -%}
