{#- One text for the campaign that a visit came from; null where the URL carried no campaign tag at all. -#}
{%- macro campaign_key(utm_source, utm_medium, utm_campaign) -%}
    case
        when coalesce({{ utm_source }}, {{ utm_medium }}, {{ utm_campaign }}) is not null
            then
                coalesce({{ utm_source }}, '') || '|' || coalesce({{ utm_medium }}, '') || '|'
                || coalesce({{ utm_campaign }}, '')
    end
{%- endmacro -%}
