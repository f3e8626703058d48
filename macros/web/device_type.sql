{#-
    What kind of device a user agent says it is: desktop, mobile, tablet, or other for televisions and programs; null
    for none. Phones of every make say Mobile, an Android tablet does not; the most frequent cases are asked first.
-#}
{%- macro device_type(user_agent) -%}
    {%- set says = "contains(lower(" ~ user_agent ~ "), '" -%}
    case
        when {{ says }}mobi')
            then case when {{ says }}ipad') or {{ says }}tablet') then 'tablet' else 'mobile' end
        when {{ says }}tv') then 'other'
        when {{ says }}windows nt') or {{ says }}macintosh') or {{ says }}x11') then 'desktop'
        when {{ says }}android') or {{ says }}ipad') or {{ says }}tablet') or {{ says }}kindle') then 'tablet'
        when trim({{ user_agent }}) <> '' then 'other'
    end
{%- endmacro -%}
