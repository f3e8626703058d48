{#- The demo shop's own segments: models in shops/demo/models/segments/. -#}
{%- macro shop_segments() -%}
    {{ return(['seg_big_basket_shoppers']) }}
{%- endmacro -%}
