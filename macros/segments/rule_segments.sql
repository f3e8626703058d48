{#-
    The rule segments of this build: those that ship, and the shop's own. dbt must know them when it parses, before it
    could look into a folder, so they are listed: a model in models/segments/rules/ that is missing here fails a test.
-#}
{%- macro rule_segments() -%}
    {%- set shipped = [
        'seg_at_risk',
        'seg_browsing_enthusiasts',
        'seg_cart_abandoned_and_back',
        'seg_cart_abandonment_risk',
        'seg_cart_idle',
        'seg_cart_left_at_once',
        'seg_cart_unbought',
        'seg_category_in_a_session',
        'seg_category_in_an_hour',
        'seg_category_returners',
        'seg_coupon_responders',
        'seg_discount_buyers',
        'seg_dormant',
        'seg_engaged',
        'seg_frequent_buyers',
        'seg_frequent_visitors',
        'seg_high_intent',
        'seg_high_intent_for_a_product',
        'seg_high_purchase_intent',
        'seg_high_value_customers',
        'seg_high_value_lapsed',
        'seg_inactive_visitors',
        'seg_lapsed',
        'seg_lapsed_price_lookers',
        'seg_likely_to_buy',
        'seg_loyal_customers',
        'seg_new_customers',
        'seg_niche_searchers',
        'seg_price_sensitive_shoppers',
        'seg_product_like_one_bought',
        'seg_product_lookers',
        'seg_promotion_clickers',
        'seg_purchase_intent',
        'seg_recent_buyers',
        'seg_recent_repeat_buyers',
        'seg_review_readers',
        'seg_seasonal_shoppers',
        'seg_urban_category_buyers',
        'seg_young_urban_clickers',
    ] -%}
    {#- A shop lists its own in shops/<name>/macros/shop_segments.sql; without that file it has none. -#}
    {{ return(shipped + (shop_segments() if shop_segments is defined else [])) }}
{%- endmacro -%}
