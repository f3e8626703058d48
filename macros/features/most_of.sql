{#-
    Which of some counts is the greatest, by name (`names` are words, the counts are columns <name>_<counted>): the first
    of those that are equal, 'unknown' where there is nothing to count.
-#}
{%- macro most_of(names, counted) -%}
    {%- set columns = [] -%}
    {%- for name in names -%}{%- do columns.append(name ~ '_' ~ counted) -%}{%- endfor -%}
    {%- set greatest = 'greatest(' ~ columns | join(', ') ~ ')' -%}
    case
        when {{ greatest }} is null or {{ greatest }} = 0 then 'unknown'
        {%- for name in names %}
        when {{ name }}_{{ counted }} = {{ greatest }} then '{{ name }}'
        {%- endfor %}
    end
{%- endmacro -%}
