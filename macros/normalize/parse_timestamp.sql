{#-
    A time as text in UTC: with Z or an offset it is an instant ('2017-07-01T10:00:00+02:00'), without it is the wall
    clock of `zone` (a SQL expression giving an IANA name; see to_utc for the two odd hours of a year). Null if it is
    no time. ISO 8601 order; 'T' or a space between, seconds may be missing.
-#}
{%- macro parse_timestamp(text, zone) -%}
    {%- set clean = clean_text(text) -%}
    case
        when {{ matches_pattern(clean, '[0-9]:[0-9]{2}.*([zZ]|[+-][0-9]{2}(:?[0-9]{2})?)$') }}
            then {{ parse_instant(clean) }}
        else {{ to_utc('try_cast(' ~ clean ~ ' as timestamp)', zone) }}
    end
{%- endmacro -%}
