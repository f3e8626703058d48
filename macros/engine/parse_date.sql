{#- The date that `text` says in the first of `formats` (as strptime writes them) that fits; null when none does. -#}
{%- macro parse_date(text, formats) -%}
    {{ return(adapter.dispatch('parse_date')(text, formats)) }}
{%- endmacro -%}


{%- macro duckdb__parse_date(text, formats) -%}
    cast(try_strptime({{ text }}, ['{{ formats | join("', '") }}']) as date)
{%- endmacro -%}


{%- macro spark__parse_date(text, formats) -%}
    cast(coalesce(
        {%- for format in formats -%}
            try_to_timestamp({{ text }}, '{{ format | replace("%Y", "yyyy") | replace("%y", "yy") | replace("%m", "M")
            | replace("%d", "d") | replace("%b", "MMM") | replace("%B", "MMMM") }}'){{ ', ' if not loop.last }}
        {%- endfor -%}
    ) as date)
{%- endmacro -%}
