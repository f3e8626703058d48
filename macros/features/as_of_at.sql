{#-
    The instant, UTC, that features near real time look back from: `--vars '{as_of_at: "2017-12-31 18:30:00"}'`, else the
    midnight with which the current as-of date begins in the shop's zone.
-#}
{%- macro as_of_at() -%}
    {%- if var('as_of_at', none) -%}
        cast('{{ var('as_of_at') }}' as timestamp)
    {%- else -%}
        {{ to_utc('cast(' ~ as_of_date() ~ ' as timestamp)', setting('shop.business_timezone')) }}
    {%- endif -%}
{%- endmacro -%}
