-- Components that cannot be one person as they are, with the first reason.
{%- set limits = setting_value('identity') or {} %}
{%- set most = limits.one_customer_has or {} %}

with components as (
    select * from {{ ref('int_identity__components') }}
    where {{ is_among('int_identity__touched_records', 'record_number') }}
),

identifiers as (
    select * from {{ ref('int_identity__identifiers') }}
    where {{ is_among('int_identity__touched_records', 'record_number') }}
),

persons as (
    select * from {{ ref('int_identity__persons') }}
    where {{ is_among('int_identity__touched_records', 'record_number') }}
),

records as (
    select * from {{ ref('int_identity__source_records') }}
),

edges as (
    select * from {{ ref('int_identity__edges') }}
    where {{ is_among('int_identity__touched_records', 'left_number', 'record_number') }}
),

decisions as (
    select * from {{ ref('int_identity__decisions') }}
    where verdict = 'not same'
),

sizes as (
    select
        component_number,
        count(*) as record_count
    from components
    group by component_number
    having count(*) > 1
),

decided as (
    select
        left_components.component_number,
        'decided: not the same' as reason
    from decisions
    inner join records as left_records on decisions.left_record_key = left_records.source_record_key
    inner join records as right_records on decisions.right_record_key = right_records.source_record_key
    inner join components as left_components on left_records.record_number = left_components.record_number
    inner join components as right_components on right_records.record_number = right_components.record_number
    where left_components.component_number = right_components.component_number
),

{% for identifier_type, name in [('loyalty_id', 'loyalty ids'), ('login', 'logins'), ('brand', 'brands')] %}
    {%- set limit = most.get(name | replace(' ', '_')) %}
    too_many_{{ identifier_type }} as (
        select
            components.component_number,
            'more than {{ limit }} {{ name }}' as reason
        from identifiers
        inner join components on identifiers.record_number = components.record_number
        where identifiers.identifier_type = '{{ identifier_type }}'
        group by components.component_number
        having {{ 'count(distinct identifiers.identifier_value) > ' ~ limit if limit else 'false' }}
    ),
{% endfor %}

described as (
    select distinct
        components.component_number,
        persons.given_name,
        persons.last_name,
        persons.birth_date
    from persons
    inner join components on persons.record_number = components.record_number
    inner join sizes on components.component_number = sizes.component_number
),

-- Where all say the same there is nothing to compare.
several as (
    select component_number from described
    group by component_number
    having count(*) between 2 and 200
),

in_conflict as (
    select
        this.component_number,
        max(case when not {{ given_names_fit('this', 'other') }} then 1 else 0 end) as names_conflict,
        max(case when not {{ birth_dates_fit('this.birth_date', 'other.birth_date') }} then 1 else 0 end)
            as dates_conflict
    from described as this
    inner join several on this.component_number = several.component_number
    inner join described as other on this.component_number = other.component_number
    group by this.component_number
),

weak_bridges as (
    select components.component_number
    from edges
    inner join components on edges.left_number = components.record_number
    inner join sizes on components.component_number = sizes.component_number
    where
        edges.match_confidence < 0.9
        and sizes.record_count >= 2 * {{ limits.bridge_min_records }}
    group by components.component_number
),

reasons as (
    select
        component_number,
        reason,
        1 as place
    from decided
    union all
    select
        component_number,
        reason,
        2 as place
    from too_many_loyalty_id
    union all
    select
        component_number,
        reason,
        3 as place
    from too_many_login
    union all
    select
        component_number,
        reason,
        4 as place
    from too_many_brand
    union all
    select
        component_number,
        'more than {{ limits.max_records_per_customer }} records' as reason,
        5 as place
    from sizes
    where record_count > {{ limits.max_records_per_customer }}
    union all
    select
        component_number,
        'conflicting birth dates' as reason,
        6 as place
    from in_conflict
    where dates_conflict = 1
    union all
    select
        component_number,
        'conflicting given names' as reason,
        7 as place
    from in_conflict
    where names_conflict = 1
    union all
    select
        component_number,
        'an uncertain edge between two groups' as reason,
        8 as place
    from weak_bridges
)

select
    sizes.component_number,
    cast(sizes.record_count as integer) as record_count,
    {{ greatest_by('reasons.reason', '-reasons.place') }} as reason
from reasons
inner join sizes on reasons.component_number = sizes.component_number
group by sizes.component_number, sizes.record_count
