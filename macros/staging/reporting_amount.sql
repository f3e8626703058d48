{#- An amount at the exchange rate of its order, to the cent; null stays null. -#}
{%- macro reporting_amount(amount, rate='exchange_rate', scale=2) -%}
    case when {{ rate }} = 1 then {{ amount }} else cast(round({{ amount }} * {{ rate }}, {{ scale }}) as decimal(18, {{ scale }})) end
{%- endmacro -%}
