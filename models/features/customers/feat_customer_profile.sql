-- A region with few customers is shown as "other", so that nobody stands out by it.

-- noqa: disable=LT02
with computed as (
    select * from {{ ref('int_features__profile').include(database=false) }}
),

regions as (
    select
        *,
        count(*) over (partition by as_of_date, region) as region_customer_count
    from computed
)

select
    -- keys
    customer_id,
    as_of_date,
    identity_basis,
    -- time
    days_known,
    -- demographics: unknown is a value of its own
    {% for attribute in demographics() -%}
        coalesce({{ attribute }}, 'unknown') as {{ attribute }},
    {% endfor -%}
    case
        when region is null then 'unknown'
        when region_customer_count < {{ setting('features.min_region_customers') }} then 'other'
        else region
    end as region
from regions
