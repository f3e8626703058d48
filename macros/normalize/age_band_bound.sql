{#-
    The lowest or highest age in full years of a range such as '25-34', '65+', '18 to 24', 'under 18' or '< 18'; null
    where the range is open, or is none.
-#}
{%- macro age_band_bound(band, bound) -%}
    {%- set clean = clean_text('lower(' ~ band ~ ')') -%}
    {%- if bound == 'low' -%}
        cast(nullif(regexp_extract({{ clean }}, '^(over |>|>=)? ?([0-9]{1,3})( ?([+]|-|–|to|and| )|$)', 2), '') as integer)
    {%- else -%}
        coalesce(
            cast(nullif(regexp_extract({{ clean }}, '^[0-9]{1,3} ?(-|–|to) ?([0-9]{1,3})$', 2), '') as integer),
            cast(nullif(regexp_extract({{ clean }}, '^(under|below|<) ?([0-9]{1,3})$', 2), '') as integer) - 1,
            cast(nullif(regexp_extract({{ clean }}, '^([0-9]{1,3})$', 1), '') as integer)
        )
    {%- endif -%}
{%- endmacro -%}
