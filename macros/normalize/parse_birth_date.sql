{#-
    The date that a text says; null if it says none. Understood are

    1. year first: 1985-03-04, 1985/3/4, 1985.03.04, 19850304; a time of day behind it is left off
    2. a month in English, whole or three letters: 4 March 1985, Mar 4th, 1985, 04-MAR-85
    3. dots, day first: 04.03.1985, 4.3.85
    4. slashes or dashes: 04/03/1985, 4-3-85, 04031985; month first where the shop's region (`region`, by default the
       setting normalization.default_region) writes it so, else day first

    In 3 and 4 the other order is taken where the first gives no date. A year of two digits is the latest one that is
    not after `written_at` (a SQL timestamp: when the text was written). Whether the date can be true is not judged.
-#}
{%- macro parse_birth_date(text, written_at, region=none) -%}
    {#- Everywhere else the day comes first, or the year. -#}
    {%- set month_first_regions = ['US', 'PH', 'PR', 'GU', 'AS', 'VI', 'MP', 'FM', 'MH', 'PW'] -%}
    {%- set month_first = (region or setting_value('normalization.default_region')) in month_first_regions -%}
    {%- set orders = ['%m-%d', '%d-%m'] if month_first else ['%d-%m', '%m-%d'] -%}
    {%- set timeless = replace_pattern(clean_text('lower(' ~ text ~ ')'), '[t ][0-9]{1,2}:[0-9]{2}.*$', '') -%}
    {#- A letter marks a form that strptime would take for another: dots say that the day comes first, and %Y takes any
        number of digits. -#}
    {%- set dotted = replace_pattern(timeless, '^([0-9]{1,2})[.]([0-9]{1,2})[.]([0-9]{2,4})$', 'd$1-$2-$3') -%}
    {%- set cardinal = replace_pattern(dotted, '([0-9])(st|nd|rd|th)', '$1') -%}
    {%- set parts = replace_pattern(cardinal, '[^0-9a-z]+', '-') -%}
    {%- set year_first = replace_pattern(parts, '^([0-9]{4}-[0-9]{1,2}-[0-9]{1,2})$', 'y$1') -%}
    {%- set marked = replace_pattern(year_first, '^([0-9]{8})$', 'n$1') -%}
    {%- set formats = ['y%Y-%m-%d', 'n%Y%m%d'] -%}
    {%- for order in orders -%}{%- do formats.append('n' ~ order | replace('-', '') ~ '%Y') -%}{%- endfor -%}
    {#- Two digits before four: %Y takes 85 for the year 85. -#}
    {%- for order in orders + ['d%d-%m', 'd%m-%d', '%d-%b', '%d-%B', '%b-%d', '%B-%d'] -%}
        {%- do formats.append(order ~ '-%y') -%}
    {%- endfor -%}
    {%- for order in orders + ['d%d-%m', 'd%m-%d', '%d-%b', '%d-%B', '%b-%d', '%B-%d'] -%}
        {%- do formats.append(order ~ '-%Y') -%}
    {%- endfor -%}
    {%- set parsed = parse_date(marked, formats) -%}
    {#- No case when: its branches would parse the text once more each. -#}
    cast({{ parsed }} - interval 100 year * (
        cast({{ parsed }} > cast({{ written_at }} as date) as integer)
        * cast({{ matches_pattern(marked, '^d?([0-9]{1,2}|[a-z]{3,9})-([0-9]{1,2}|[a-z]{3,9})-[0-9]{2}$') }} as integer)
    ) as date)
{%- endmacro -%}
