{#-
    An amount of money as text, as decimal(18, 4): '1.234,56 €', '$1,234.56', '(12.00)', "CHF 1'250.-", '12,5-'.

    Of two signs the last is the decimal one. A sign that comes once, with three digits behind and one to three before,
    may be either: it is the decimal sign if it is `decimal_mark` (the writer's), else it parts thousands: with '.',
    '1.234' is 1.234 and '1,234' is 1234. A minus may stand anywhere around the number, and brackets are a minus.
    Null for anything else ('12-14', '1e5', 'free'): a wrong amount is worse than none.
-#}
{%- macro parse_amount(text, decimal_mark='.') -%}
    {%- set joined = "translate(" ~ replace_spaces('lower(' ~ text ~ ')', '') ~ ", '−–’''', '--')" -%}
    {#- Some abbreviations of currencies end in a full stop, which is none of the number's; '5.-' is 5 and no cents. -#}
    {%- set written = replace_pattern(replace_pattern(joined, '(kr|fr|sfr|rs)[.]', '$1'), '[.,]-+', '') -%}
    {%- set currency = '([^0-9.,()+-]{0,4})' -%}
    {%- set form = '^' ~ currency ~ '[-+(]?' ~ currency ~ '[0-9.,]+' ~ currency ~ '[-)]?' ~ currency ~ '$' -%}
    {%- set digits = replace_pattern(replace_pattern(written, '[^0-9.,]', ''), '[.,]$', '') -%}
    {%- set whole = "replace(replace(" ~ digits ~ ", '.', ''), ',', '')" -%}
    {%- set by_point = "replace(" ~ digits ~ ", ',', '')" -%}
    {%- set by_comma = "replace(replace(" ~ digits ~ ", '.', ''), ',', '.')" -%}
    {#- Groups of two as well as three: in India 1,23,456.00 is usual. -#}
    {%- set point_decimal = ('^[0-9]*[.]?[0-9]+$', by_point) -%}
    {%- set comma_decimal = ('^[0-9]*,?[0-9]+$', by_comma) -%}
    {%- set comma_groups = ('^[1-9][0-9]{0,2}(,[0-9]{2,3})*,[0-9]{3}([.][0-9]+)?$', by_point) -%}
    {%- set point_groups = ('^[1-9][0-9]{0,2}([.][0-9]{2,3})*[.][0-9]{3}(,[0-9]+)?$', by_comma) -%}
    {%- if decimal_mark == '.' -%}
        {%- set tries = [point_decimal, comma_groups, point_groups, comma_decimal] -%}
    {%- else -%}
        {%- set tries = [comma_decimal, point_groups, comma_groups, point_decimal] -%}
    {%- endif -%}
    case
        when {{ matches_pattern(written, form) }} then
            try_cast(
                case
                    {%- for pattern, number in tries %}
                    when {{ matches_pattern(digits, pattern) }} then {{ number }}
                    {%- endfor %}
                end as decimal(18, 4)
            ) * case when {{ matches_pattern(written, '[-(]') }} then -1 else 1 end
    end
{%- endmacro -%}
