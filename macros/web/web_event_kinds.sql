{#-
    What visitors do, in twelve kinds: the names, and a case that numbers them for an event. The shares of a visitor's
    events by kind are held against those of the shop's known people.
-#}
{%- macro web_event_kinds() -%}
    {{ return(
        ['checkout', 'product', 'add', 'remove', 'search', 'cart', 'account', 'promotion', 'reading', 'category', 'home',
         'other']
    ) }}
{%- endmacro -%}


{%- macro web_event_kind() -%}
    {%- set conditions = {
        'checkout': "event_name in ('Checkout Started', 'Order Completed') or content_type = 'checkout'",
        'product': "event_name = 'Product Viewed'",
        'add': "event_name = 'Product Added'",
        'remove': "event_name = 'Product Removed'",
        'search': "event_name = 'Products Searched' or content_type = 'search'",
        'cart': "event_name = 'Cart Viewed' or content_type = 'cart'",
        'account': "event_type = 'identify' or content_type = 'account'",
        'promotion': "event_name in ('Promotion Viewed', 'Promotion Clicked')",
        'reading': "content_type in ('review', 'tutorial')",
        'category': "content_type = 'category'",
        'home': "content_type = 'home'",
    } -%}
    case
        {%- for kind in web_event_kinds()[:-1] %}
        when {{ conditions[kind] }} then {{ loop.index }}
        {%- endfor %}
        else {{ web_event_kinds() | length }}
    end
{%- endmacro -%}
