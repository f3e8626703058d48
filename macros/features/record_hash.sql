{#- A record as a number: what activity is kept by. Like fast_hash it holds for one version of the engine. -#}
{%- macro record_hash(source_system, source_record_id) -%}
    {{ fast_hash([source_system, source_record_id]) }}
{%- endmacro -%}
