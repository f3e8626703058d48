{#-
    Whom an address stands for: an IPv4 address itself; of an IPv6 address the first 64 bits, within which one
    subscriber's devices choose a new address whenever they like. `web_network` is the wider circle: the 256 addresses of
    an IPv4 /24, or an IPv6 /48, which providers hand to one customer.
-#}
{%- macro web_address(ip_address) -%}
    {{ address_part(ip_address, ipv4_groups=4, ipv6_groups=4) }}
{%- endmacro -%}


{%- macro web_network(ip_address) -%}
    {{ address_part(ip_address, ipv4_groups=3, ipv6_groups=3) }}
{%- endmacro -%}


{%- macro address_part(ip_address, ipv4_groups, ipv6_groups) -%}
    {#- An IPv4 address may come written as IPv6: ::ffff:192.0.2.1. -#}
    {%- set ipv4 = "split_part(" ~ ip_address ~ ", ':', -1)" -%}
    {#- Groups behind '::' belong to the device's half. -#}
    {%- set ipv6 = "split_part(" ~ ip_address ~ ", '::', 1)" -%}
    case
        when contains({{ ip_address }}, '.')
            then concat_ws(
                '.'{% for group in range(ipv4_groups) %}, split_part({{ ipv4 }}, '.', {{ group + 1 }}){% endfor %}
            )
        when contains({{ ip_address }}, ':')
            then concat_ws(
                ':'{% for group in range(ipv6_groups) %}, split_part({{ ipv6 }}, ':', {{ group + 1 }}){% endfor %}
            )
    end
{%- endmacro -%}
