{#-
    A feature that is null at dates before which its source had said nothing: a customer without a campaign and a shop that
    never landed its campaigns are two things. `sources` names a CTE of `missing_sources`.
-#}
{%- macro unless_missing(expression, sources='sources') -%}
    case when {{ sources }}.missing_reason is null then {{ expression }} end
{%- endmacro -%}


{#- For each as-of date, why one of some landing tables said nothing before it; null where all said something. -#}
{%- macro missing_sources(names) -%}
    select
        as_of_date,
        max(missing_reason) as missing_reason
    from {{ ref('int_as_of_sources').include(database=false) }}
    where source in ('{{ names | join("', '") }}')
    group by as_of_date
{%- endmacro -%}
