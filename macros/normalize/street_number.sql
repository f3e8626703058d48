{#-
    The house number in a normalized street: in front ('123 main st'), else the last one before a unit ('hauptstr 12a',
    'calle mayor 5 unit 2'); null if there is none.
-#}
{%- macro street_number(street) -%}
    coalesce(
        nullif(regexp_extract({{ street }}, '^([0-9]+[a-z]?)( |$)', 1), ''),
        nullif(regexp_extract({{ street }}, ' ([0-9]+[a-z]?)( unit .*)?$', 1), '')
    )
{%- endmacro -%}
