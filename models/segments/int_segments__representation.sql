-- How the members of each segment are made up, against all customers: a group's share of the members over its share of
-- all. The interval is Wilson's for a share, at a level that holds for all comparisons of the run at once (Bonferroni).

{%- set attributes = setting_value('segments.represented_by') or [] %}

-- noqa: disable=LT02
with memberships as (
    select * from {{ ref('int_segments__memberships') }}
),

sizes as (
    select * from {{ ref('int_segments__sizes') }}
    where status not in ('switched off', 'ended')
),

profiles as (
    select features.*
    from {{ ref('feat_customer_profile') }} as features
    inner join {{ ref('int_as_of_dates') }} as as_of_dates on features.as_of_date = as_of_dates.as_of_date
    where as_of_dates.is_current
),

-- who said nothing is in no group
told as (
    {% for attribute in attributes -%}
        select
            customer_id,
            '{{ attribute }}' as attribute,
            {{ attribute }} as attribute_value
        from profiles
        where {{ attribute }} <> 'unknown'
        {{ 'union all' if not loop.last }}
    {% else -%}
        select
            customer_id,
            'none' as attribute,
            'none' as attribute_value
        from profiles
        where 1 = 0
    {% endfor -%}
),

base as (
    select
        attribute,
        attribute_value,
        count(*) as customer_count,
        sum(count(*)) over (partition by attribute) as told_count
    from told
    group by attribute, attribute_value
),

of_members as (
    select
        memberships.segment_key,
        told.attribute,
        told.attribute_value,
        count(*) as member_count
    from memberships
    inner join told on memberships.customer_id = told.customer_id
    group by memberships.segment_key, told.attribute, told.attribute_value
),

told_members as (
    select
        segment_key,
        attribute,
        sum(member_count) as told_count
    from of_members
    group by segment_key, attribute
),

compared as (
    select
        sizes.segment_key,
        base.attribute,
        base.attribute_value,
        coalesce(of_members.member_count, 0) as member_count,
        told_members.told_count as told_member_count,
        base.customer_count,
        cast(coalesce(of_members.member_count, 0) as double) / told_members.told_count as member_share,
        cast(base.customer_count as double) / base.told_count as customer_share,
        count(*) over () as comparison_count
    from sizes
    cross join base
    inner join told_members
        on
            sizes.segment_key = told_members.segment_key
            and base.attribute = told_members.attribute
    left join of_members
        on
            sizes.segment_key = of_members.segment_key
            and base.attribute = of_members.attribute
            and base.attribute_value = of_members.attribute_value
),

leveled as (
    select
        *,
        {{ normal_quantile('1 - 0.025 / comparison_count') }} as z
    from compared
),

bounded as (
    select
        *,
        (member_share + z * z / (2 * told_member_count)) / (1 + z * z / told_member_count) as center,
        z * sqrt(
            member_share * (1 - member_share) / told_member_count + z * z / (4.0 * told_member_count * told_member_count)
        ) / (1 + z * z / told_member_count) as half_width
    from leveled
)

select
    -- keys
    segment_key,
    attribute,
    attribute_value,
    -- counts
    cast(member_count as integer) as member_count,
    cast(told_member_count as integer) as told_member_count,
    cast(customer_count as integer) as customer_count,
    cast(comparison_count as integer) as comparison_count,
    -- shares
    member_share,
    customer_share,
    -- representation: 1 = as among all customers
    member_share / customer_share as representation,
    greatest(center - half_width, 0) / customer_share as representation_low,
    least(center + half_width, 1) / customer_share as representation_high
from bounded
