{#- A select with one row per file that matches `pattern`: its `stem` (name without ending), and a `stamp` that changes with it. -#}
{%- macro file_stamps(pattern) -%}
    {{ return(adapter.dispatch('file_stamps')(pattern)) }}
{%- endmacro -%}


{%- macro duckdb__file_stamps(pattern) -%}
    select
        parse_filename(filename, true) as stem,
        concat_ws('/', parse_filename(filename), size, epoch_us(last_modified)) as stamp
    from read_blob('{{ pattern }}')
{%- endmacro -%}
