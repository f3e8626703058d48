{#-
    A postcode in the form of its country (a SQL expression giving an ISO 3166 alpha-2 code), null if it cannot be one.

    Digits that a spreadsheet lost come back: '2134' in the US is '02134', and '.0' goes. A country in front
    ('D-10115') goes, and so does the second half of a US ZIP+4. A country that is not listed keeps letters and digits.
-#}
{%- macro normalize_postcode(text, country) -%}
    {#- Countries whose code is a number: how many digits, and after how many of them stands which sign. -#}
    {%- set numbers = {
        (4, none, ''): ['AT', 'AU', 'BE', 'BG', 'CH', 'CY', 'DK', 'HU', 'LU', 'LV', 'NO', 'NZ', 'SI', 'ZA'],
        (5, none, ''): ['DE', 'EE', 'ES', 'FI', 'FR', 'HR', 'IT', 'KR', 'LT', 'MX', 'MY', 'TH', 'TR', 'UA'],
        (6, none, ''): ['CN', 'IN', 'RO', 'SG'],
        (5, 2, '-'): ['PL'],
        (5, 3, ' '): ['CZ', 'GR', 'SE', 'SK'],
        (7, 3, '-'): ['JP'],
        (7, 4, '-'): ['PT'],
        (8, 5, '-'): ['BR'],
    } -%}
    {#- Letters and digits: what it looks like without spaces, and how many signs stand behind the space. -#}
    {%- set lettered = {
        'CA': ('[A-Z][0-9][A-Z][0-9][A-Z][0-9]', 3),
        'GB': ('[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}', 3),
        'IE': ('[A-Z][0-9][0-9W][A-Z0-9]{4}', 4),
        'NL': ('[0-9]{4}[A-Z]{2}', 2),
    } -%}
    {%- set signs = replace_pattern(replace_pattern('upper(trim(' ~ text ~ '))', '[.]0+$', ''), '[^0-9A-Z]', '') -%}
    {%- set number = replace_pattern(signs, '^[A-Z]{1,3}', '') -%}
    case
        when {{ country }} = 'US' then
            case
                when {{ number }} in ('000', '0000', '00000', '000000000') then null
                when {{ matches_pattern(number, '^[0-9]{3,5}$') }} then lpad({{ number }}, 5, '0')
                when {{ matches_pattern(number, '^[0-9]{7,9}$') }} then substr(lpad({{ number }}, 9, '0'), 1, 5)
            end
        {%- for (length, sign_after, sign), countries in numbers.items() %}
        when {{ country }} in ('{{ countries | join("', '") }}') then
            case
                when
                    {{ matches_pattern(number, '^[0-9]{' ~ (length - 1) ~ ',' ~ length ~ '}$') }}
                    and {{ matches_pattern(number, '[1-9]') }}
                    then {{ grouped_digits("lpad(" ~ number ~ ", " ~ length ~ ", '0')", sign_after, sign) }}
            end
        {%- endfor %}
        {%- for of_country, (form, behind) in lettered.items() %}
        when {{ country }} = '{{ of_country }}' then
            case
                when {{ matches_pattern(signs, '^' ~ form ~ '$') }}
                    then substr({{ signs }}, 1, length({{ signs }}) - {{ behind }})
                        || ' ' || substr({{ signs }}, length({{ signs }}) - {{ behind - 1 }})
            end
        {%- endfor %}
        else nullif({{ signs }}, '')
    end
{%- endmacro -%}


{#- `digits` with a sign between, where the country writes one. -#}
{%- macro grouped_digits(digits, sign_after, sign) -%}
    {%- if sign_after is none -%}
        {{ digits }}
    {%- else -%}
        substr({{ digits }}, 1, {{ sign_after }}) || '{{ sign }}' || substr({{ digits }}, {{ sign_after + 1 }})
    {%- endif -%}
{%- endmacro -%}
