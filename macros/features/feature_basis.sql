{#-
    What features and labels rest on: `current`, what is known today of the time before each date, with identity as it is
    today; or `as_known`, what was known just before it: rows that had arrived, identity as it was. The setting
    features.identity_basis, which --vars '{identity_basis: as_known}' overrides for one build.
-#}
{%- macro feature_basis() -%}
    {%- set basis = var('identity_basis', none) or setting_value('features.identity_basis') or 'current' -%}
    {%- if basis not in ('current', 'as_known') -%}
        {{ exceptions.raise_compiler_error(
            "features.identity_basis is '" ~ basis ~ "'. Next: write current or as_known in the shop's settings.yml."
        ) }}
    {%- endif -%}
    {{ return(basis) }}
{%- endmacro -%}
