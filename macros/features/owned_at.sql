{#- Whether the row of int_activity__memberships (or of its alias) says whose a record was, as of a date. -#}
{%- macro owned_at(as_of_date, memberships='memberships') -%}
    ({{ memberships }}.known_from is null or {{ as_of_date }} > {{ memberships }}.known_from)
    and ({{ memberships }}.known_until is null or {{ as_of_date }} <= {{ memberships }}.known_until)
{%- endmacro -%}


{#- Whether a fact with a span counts as of a date. -#}
{%- macro counts_at(as_of_date, facts) -%}
    {{ as_of_date }} > {{ facts }}.counts_from
    and ({{ facts }}.counts_until is null or {{ as_of_date }} <= {{ facts }}.counts_until)
{%- endmacro -%}
