{#-
    The rules that tie source records together, strongest first. `needs` says what must be the same besides the
    identifier: nothing, or names. A rule of confidence `sure` or above is never undone by a guess about names or dates.
-#}
{%- macro identity_rules() -%}
    {{ return([
        {'name': 'same loyalty id', 'identifier_type': 'loyalty_id', 'confidence': 1.0, 'needs': none},
        {'name': 'same login', 'identifier_type': 'login', 'confidence': 1.0, 'needs': none},
        {'name': 'same order', 'identifier_type': 'order_id', 'confidence': 0.99, 'needs': none},
        {'name': 'same device', 'identifier_type': 'device', 'confidence': 0.98, 'needs': none},
        {'name': 'same email', 'identifier_type': 'email', 'confidence': 0.97, 'needs': none},
        {'name': 'same phone and name', 'identifier_type': 'phone', 'confidence': 0.95, 'needs': 'a name'},
        {'name': 'shared email and same name', 'identifier_type': 'email', 'confidence': 0.92, 'needs': 'same name'},
        {'name': 'shared phone and same name', 'identifier_type': 'phone', 'confidence': 0.9, 'needs': 'same name'},
    ]) }}
{%- endmacro -%}
