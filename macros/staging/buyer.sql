{#-
    Who bought, in one text: the card, or else the login, or else the e-mail address that the order names. Null when it
    names nobody. Where a customer has only so many brands (identity.one_customer_has.brands), who bought of two brands are
    two buyers.
-#}
{%- macro buyer(loyalty_id='loyalty_id', user_id='user_id', email='email', brand='brand') -%}
    case
        when {{ loyalty_id }} is not null then 'card:' || {{ loyalty_id }}
        when {{ user_id }} is not null then 'login:' || {{ user_id }}
        when {{ email }} is not null then 'email:' || {{ email }}
    end
    {%- if setting_value('identity.one_customer_has.brands') is not none %} || coalesce('|' || {{ brand }}, ''){% endif %}
{%- endmacro -%}


{#- The e-mail address of an order, as far as it names a buyer. -#}
{%- macro order_address(email='email') -%}
    nullif(lower(trim({{ email }})), '')
{%- endmacro -%}
