{#-
    HMAC-SHA-256 (RFC 2104) of a text under the installation's key: the same for equal texts, and nobody without the key
    can try all telephone numbers. The key never stands in SQL: whoever opens the warehouse for dbt sets it
    (orchestration/dbt_plugin.py). Null for null.
-#}
{%- macro keyed_hash(text) -%}
    {{ return(adapter.dispatch('keyed_hash')(text)) }}
{%- endmacro -%}


{%- macro duckdb__keyed_hash(text) -%}
    sha256(unhex(getvariable('outer_key')) || unhex(sha256(unhex(getvariable('inner_key')) || encode({{ text }}))))
{%- endmacro -%}
