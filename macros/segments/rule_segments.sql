{#-
    The rule segments of this build: those that ship, and the shop's own. dbt must know them when it parses, before it
    could look into a folder, so they are listed: a model in models/segments/rules/ that is missing here fails a test.
-#}
{%- macro rule_segments() -%}
    {%- set shipped = [
        'seg_recent_buyers',
        'seg_frequent_buyers',
        'seg_high_value_customers',
        'seg_new_customers',
        'seg_at_risk',
        'seg_lapsed',
        'seg_high_value_lapsed',
        'seg_price_sensitive_shoppers',
        'seg_coupon_responders',
        'seg_likely_to_buy',
    ] -%}
    {#- A shop lists its own in shops/<name>/macros/shop_segments.sql; without that file it has none. -#}
    {{ return(shipped + (shop_segments() if shop_segments is defined else [])) }}
{%- endmacro -%}
