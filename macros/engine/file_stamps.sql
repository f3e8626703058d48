{#- A select with one row per file that matches `pattern`: `stem` (its name without ending) and `stamp`, which changes when it does. -#}
{%- macro file_stamps(pattern) -%}
    {{ return(adapter.dispatch('file_stamps')(pattern)) }}
{%- endmacro -%}


{%- macro duckdb__file_stamps(pattern) -%}
    select
        parse_filename(filename, true) as stem,
        concat_ws('/', parse_filename(filename), size, epoch_us(last_modified)) as stamp
    from read_blob('{{ pattern }}')
{%- endmacro -%}
