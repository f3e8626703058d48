{#-
    The house number in a normalized street: in front ('123 main st'), else at the end or before the unit ('hauptstr
    12a', 'calle mayor 5 unit 2'); null if there is none.
-#}
{%- macro street_number(street) -%}
    {%- set house = replace_pattern(street, ' unit .*$', '') -%}
    coalesce(
        nullif(regexp_extract({{ house }}, '^([0-9]+[a-z]?)( |$)', 1), ''),
        nullif(regexp_extract({{ house }}, ' ([0-9]+[a-z]?)$', 1), '')
    )
{%- endmacro -%}
