{#- What a loyalty card says of its holder, beside the date of birth. -#}
{%- macro demographics() -%}
    {{ return([
        'age_band', 'income_band', 'home_ownership', 'marital_status', 'household_size', 'household_composition',
        'kids_count',
    ]) }}
{%- endmacro -%}
