{#-
    Whether a normalized address has the form of one that mail servers deliver: a local part of up to 64 characters
    without dots at its ends or side by side, a host of two labels or more, the last one letters; 254 characters in
    all (RFC 5321). Letters beyond ASCII are allowed (RFC 6531); quoted local parts and addresses of IP numbers are
    not: in a customer file they are slips. Null for null.
-#}
{%- macro is_email(email) -%}
    {%- set atom = "([a-z0-9!#$%&'*+/=?^_`{|}~-]|[^ -~])" -%}
    {%- set label = "([a-z0-9]|[^ -~])(([a-z0-9-]|[^ -~]){0,61}([a-z0-9]|[^ -~]))?" -%}
    (
        length({{ email }}) <= 254
        and {{ matches_pattern(email, '^' ~ atom ~ '+([.]' ~ atom ~ '+)*@(' ~ label ~ '[.])+([a-z]|[^ -~]){2,63}$') }}
        and length(split_part({{ email }}, '@', 1)) <= 64
    )
{%- endmacro -%}
