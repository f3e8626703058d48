{%- set attributes = demographics() + ['region'] %}
{%- set latest = {} %}
{%- for attribute in attributes %}{% do latest.update({attribute ~ '_as_told': attribute ~ '_as_told'}) %}{% endfor %}
{%- set arrives_late = feature_basis() == 'as_known' %}

-- noqa: disable=LT02
with {{ over_time([
    {
        'relation': 'int_activity__profiles',
        'spans': arrives_late,
        'earliest': {'first_known_on': 'day'},
        'latest': latest,
    },
    {
        'relation': 'int_activity__web_sessions',
        'spans': true,
        'latest': {'web_region_as_told': 'region_as_told'},
    },
]) }}

select
    -- keys
    customer_id,
    as_of_date,
    '{{ feature_basis() }}' as identity_basis,
    -- time
    cast(as_of_date - first_known_on as integer) as days_known,
    -- what was told last
    {% for attribute in demographics() -%}
        {{ told(attribute ~ '_as_told') }} as {{ attribute }},
    {% endfor -%}
    coalesce({{ told('region_as_told') }}, {{ told('web_region_as_told') }}) as region
from over_time
where first_known_on is not null
